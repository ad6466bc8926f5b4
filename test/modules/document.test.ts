import { document } from '../../src/modules/document.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(document, {
  settled: [{ title: 'only shows', args: { title: 'Report', text: 'all is well' } }],
  refused: [{ title: 'nothing to show', args: { title: 'Report' }, code: 'SCHEMA' }],
});
