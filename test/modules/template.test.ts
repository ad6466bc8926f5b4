import { template } from '../../src/modules/template.ts';
import { found, path, restored } from '../helpers/file-facts.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(template, {
  settled: [
    {
      title: 'the file has the rendered text',
      args: { src: 't', dest: path },
      facts: found('a'),
      files: { t: 'a' },
    },
  ],
  changes: [
    {
      title: 'replaces a file with other text',
      args: { src: 't', dest: path },
      facts: found('a'),
      files: { t: 'b' },
      actions: [`write ${path}`],
      restore: [restored('a')],
    },
  ],
  refused: [{ title: 'a missing src', args: { dest: path }, code: 'SCHEMA' }],
});
