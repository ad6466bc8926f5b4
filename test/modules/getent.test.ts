import { getent } from '../../src/modules/getent.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(getent, {
  settled: [
    {
      title: 'returns one entry',
      args: { database: 'passwd', key: 'eva' },
      facts: { 'names.entries passwd eva': { eva: ['x'] } },
      result: { entries: { eva: ['x'] } },
    },
    {
      title: 'an optional entry does not exist',
      args: { database: 'passwd', key: 'eva', fail_key: false },
      facts: { 'names.entries passwd eva': undefined },
      result: { entries: {} },
    },
  ],
  refused: [
    {
      title: 'an entry that does not exist',
      args: { database: 'passwd', key: 'eva' },
      facts: { 'names.entries passwd eva': undefined },
      code: 'TASK_FAILED',
    },
    { title: 'an option as a database', args: { database: '-i' }, code: 'SCHEMA' },
  ],
});
