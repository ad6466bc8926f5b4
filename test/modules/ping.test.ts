import { ping } from '../../src/modules/ping.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(ping, { settled: [{ title: 'the host answers', args: {}, result: { ping: 'pong' } }] });
