import { directoryUse } from '../../src/facts/docker.ts';
import { docker_export } from '../../src/modules/docker_export.ts';
import { docker } from '../helpers/cluster-facts.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(docker_export, {
  settled: [
    { title: 'there is nothing to export', args: {}, result: { files: [] } },
    {
      title: 'exports volumes with size and owner, and one that was not measured',
      args: { volumes: ['a', 'b'] },
      facts: {
        [`docker.objects ${docker} volume`]: [
          { Name: 'a', Mountpoint: '/v/a' },
          { Name: 'b', Mountpoint: '/v/b' },
          { Name: 'c', Mountpoint: '/v/c' },
        ],
        'docker.volume_use ["/v/a","/v/b"]': directoryUse.parse(
          { code: 0, stdout: '0 12 shop staff 750\n1  root root 755\n', stderr: '' },
          '["/v/a","/v/b"]',
        ),
      },
      result: {
        files: [
          {
            name: 'volumes.json',
            content: `${JSON.stringify(
              [
                {
                  Name: 'a',
                  Mountpoint: '/v/a',
                  owner: 'shop',
                  group: 'staff',
                  mode: '750',
                  kib: 12,
                },
                { Name: 'b', Mountpoint: '/v/b', owner: 'root', group: 'root', mode: '755' },
              ],
              null,
              2,
            )}\n`,
          },
        ],
      },
    },
  ],
});
