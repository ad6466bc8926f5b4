import type { JsonObject } from '../../../src/core/json.ts';
import { mke3_stock } from '../../../src/mke/modules/mke3_stock.ts';
import { inspected, parsed } from '../../helpers/mke3-containers.ts';
import { testModule } from '../../helpers/module-tester.ts';

const call = '["docker"]';
const facts = (manager: boolean, ...found: JsonObject[]) => ({
  [`container.list ${call} []`]: parsed(...found),
  [`docker.swarm ${call}`]: { active: true, manager },
  [`docker.objects ${call} volume`]: [],
  [`docker.objects ${call} network`]: [],
});
testModule(mke3_stock, {
  settled: [
    {
      title: 'reads no Swarm objects on a worker',
      args: {},
      facts: facts(false, inspected('ucp-proxy')),
      result: { containers: ['ucp-proxy'], version: '3.7.16', image_path: 'mirantis/' },
    },
  ],
  refused: [{ title: 'a host without MKE 3', args: {}, facts: facts(false), code: 'TASK_FAILED' }],
});
