import { wait_for_connection } from '../../src/modules/wait_for_connection.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(wait_for_connection, {
  settled: [{ title: 'waits for a connection', args: { timeout: 5 } }],
});
