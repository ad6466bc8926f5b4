import { docker_object } from '../../src/modules/docker_object.ts';
import { docker } from '../helpers/cluster-facts.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(docker_object, {
  settled: [
    {
      title: 'a name is only part of another name',
      args: { kind: 'volume', name: ['ucp-data'], state: 'absent' },
      facts: { [`docker.names ${docker} volume`]: ['my-ucp-data', 'ucp-data-2'] },
      result: { removed: [] },
    },
    { title: 'the list of names is empty', args: { kind: 'config', name: [], state: 'absent' } },
  ],
  changes: [
    {
      title: 'removes the existing objects in one call',
      args: { kind: 'network', name: ['a', 'b', 'c'], state: 'absent' },
      facts: { [`docker.names ${docker} network`]: ['a', 'c', 'd'] },
      actions: ['exec docker network rm a c'],
    },
  ],
});
