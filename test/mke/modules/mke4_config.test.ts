import { mke4_config } from '../../../src/mke/modules/mke4_config.ts';
import { kdd } from '../../helpers/mke3-config.ts';
import { testModule } from '../../helpers/module-tester.ts';

testModule(mke4_config, {
  settled: [
    {
      title: 'converts a configuration',
      args: { toml: kdd, hosts: [] },
      result: { refusals: [], https_node_port: 33001 },
    },
    {
      title: 'returns the HTTPS node port of the Gateway',
      args: {
        toml: `${kdd}[cluster_config.ingress_controller]\nenabled = true\n`,
        hosts: [],
        target: '4.1',
      },
      result: { https_node_port: 33003 },
    },
  ],
  refused: [{ title: 'no hosts', args: { toml: kdd }, code: 'SCHEMA' }],
});
