import { docker_object } from '../../src/modules/docker_object.ts';
import { docker } from '../helpers/cluster-facts.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(docker_object, {
  settled: [
    {
      title: 'a name that is only part of another is not there',
      args: { kind: 'volume', name: ['ucp-data'], state: 'absent' },
      facts: { [`docker.names ${docker} volume`]: ['my-ucp-data', 'ucp-data-2'] },
      result: { removed: [] },
    },
    { title: 'an empty list', args: { kind: 'config', name: [], state: 'absent' } },
  ],
  changes: [
    {
      title: 'removes those that are there in one call',
      args: { kind: 'network', name: ['a', 'b', 'c'], state: 'absent' },
      facts: { [`docker.names ${docker} network`]: ['a', 'c', 'd'] },
      actions: ['exec docker network rm a c'],
    },
  ],
});
