import { mke4_config } from '../../../src/mke/modules/mke4_config.ts';
import { kdd } from '../../helpers/mke3-config.ts';
import { testModule } from '../../helpers/module-tester.ts';

testModule(mke4_config, {
  settled: [{ title: 'converts', args: { toml: kdd, hosts: [] }, result: { refusals: [] } }],
  refused: [{ title: 'no hosts', args: { toml: kdd }, code: 'SCHEMA' }],
});
