import { document } from '../../src/modules/document.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(document, {
  settled: [{ title: 'shows a text', args: { title: 'Report', text: 'no problems' } }],
  refused: [{ title: 'a document without a text', args: { title: 'Report' }, code: 'SCHEMA' }],
});
