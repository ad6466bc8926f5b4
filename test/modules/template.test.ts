import { template } from '../../src/modules/template.ts';
import { found, path, restored } from '../helpers/file-facts.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(template, {
  settled: [
    { title: 'same text', args: { src: 't', dest: path }, facts: found('a'), files: { t: 'a' } },
  ],
  changes: [
    {
      title: 'other text',
      args: { src: 't', dest: path },
      facts: found('a'),
      files: { t: 'b' },
      actions: [`write ${path}`],
      restore: [restored('a')],
    },
  ],
  refused: [{ title: 'no src', args: { dest: path }, code: 'SCHEMA' }],
});
