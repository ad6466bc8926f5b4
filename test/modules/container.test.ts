import { describe, expect, it } from 'vitest';
import { container } from '../../src/modules/container.ts';
import { restore_container } from '../../src/modules/undo/restore_container.ts';
import { docker, inspected, listed, specification } from '../helpers/cluster-facts.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';

const resting = { State: { Status: 'exited', Running: false } };

const vanishing = { HostConfig: { AutoRemove: true } };

testModule(container, {
  settled: [
    {
      title: 'lists by a label',
      args: { filters: ['label=app'] },
      facts: listed(['label=app'], inspected('web')),
      result: { containers: [{ name: 'web', image: 'app:1', status: 'running', running: true }] },
    },
    {
      title: 'runs',
      args: { name: 'web', state: 'started' },
      facts: listed(['name=^/web$'], inspected('web')),
    },
    {
      title: 'is stopped',
      args: { name: 'web', state: 'stopped' },
      facts: listed(['name=^/web$'], inspected('web', resting)),
    },
    {
      title: 'is not there',
      args: { name: 'a.b', state: 'absent' },
      facts: listed(['name=^/a\\.b$']),
    },
    { title: 'an empty list means no container', args: { name: [], state: 'absent' } },
    { title: 'no filter means no container', args: { filters: [], state: 'stopped' } },
    {
      title: 'all have the restart policy or an excluded label',
      args: { filters: ['label=app'], without_labels: ['app'], restart_policy: 'no' },
      facts: listed(['label=app'], inspected('web')),
    },
  ],
  changes: [
    {
      title: 'stops what runs, with a limit',
      args: { name: ['web', 'job'], state: 'stopped', timeout: 5 },
      facts: listed(['name=^/web$', 'name=^/job$'], inspected('web'), inspected('job', resting)),
      actions: ['exec docker stop --time 5 web'],
      restore: [{ module: 'container', args: { name: 'web', state: 'started' } }],
    },
    {
      title: 'changes the restart policy before it stops containers, and restores each policy',
      args: { filters: ['name=^/ucp-'], restart_policy: 'no', state: 'stopped' },
      facts: listed(
        ['name=^/ucp-'],
        inspected('a'),
        inspected('b', { HostConfig: { RestartPolicy: { Name: '', MaximumRetryCount: 0 } } }),
        inspected('c', {
          HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } },
          ...resting,
        }),
        inspected('d'),
      ),
      actions: ['exec docker update --restart=no a c d', 'exec docker stop a b d'],
      restore: [
        { module: 'container', args: { name: ['a', 'd'], restart_policy: 'always' } },
        { module: 'container', args: { name: 'c', restart_policy: 'on-failure:3' } },
        { module: 'container', args: { name: ['a', 'b', 'd'], state: 'started' } },
      ],
    },
    {
      title: 'leaves it to the engine to remove what was made with --rm',
      args: { name: ['web', 'job'], state: 'absent' },
      facts: listed(
        ['name=^/web$', 'name=^/job$'],
        inspected('web', vanishing),
        inspected('job', { ...vanishing, ...resting }),
      ),
      actions: ['exec docker stop web', 'exec docker rm job'],
    },
    {
      title: 'removes, and keeps how it was made',
      args: { name: 'web', state: 'absent' },
      facts: listed(['name=^/web$'], inspected('web')),
      actions: ['exec docker stop web', 'exec docker rm web'],
      restore: [
        {
          module: 'restore_container',
          args: { name: 'web', running: true, socket: '/var/run/docker.sock', specification },
        },
      ],
    },
  ],
  refused: [
    {
      title: 'a container that is not there',
      args: { name: 'web', state: 'started' },
      facts: listed(['name=^/web$']),
      code: 'TASK_FAILED',
    },
    {
      title: 'to stop what would be removed by that',
      args: { name: 'web', state: 'stopped' },
      facts: listed(['name=^/web$'], inspected('web', vanishing)),
      code: 'TASK_FAILED',
    },
    {
      title: 'a restart policy for a container that does not exist',
      args: { name: 'web', restart_policy: 'always' },
      facts: listed(['name=^/web$']),
      code: 'TASK_FAILED',
    },
    {
      title: 'a restart policy for removed containers',
      args: { name: 'web', restart_policy: 'no', state: 'absent' },
      facts: listed(['name=^/web$']),
      code: 'TASK_FAILED',
    },
    { title: 'a name that is none', args: { name: '-v' }, code: 'TASK_FAILED' },
    { title: 'neither name nor filters', args: { state: 'absent' }, code: 'SCHEMA' },
  ],
});

const again = { name: 'web', running: true, socket: '/s', specification };

describe('a container that cannot be made again', () => {
  it('or that would vanish when it is stopped again has no automatic undo', async () => {
    const facts = listed(['name=^/web$'], inspected('web', { ...vanishing, ...resting }));
    const args = { name: 'web', state: 'started' } as const;
    expect(await container.plan(args, fakeHost({ facts }))).not.toHaveProperty('undo');
  });

  it('has no automatic undo', async () => {
    const facts = { ...listed(['name=^/web$'], inspected('web')), 'system.program curl': false };
    const args = { name: 'web', state: 'absent' as const };
    expect(await container.plan(args, fakeHost({ facts }))).not.toHaveProperty('undo');
  });

  it('comes from the image it was, whatever has its name now', async () => {
    const facts = { [`container.image ${docker} app:1`]: 'sha256:2', ...listed(['name=^/web$']) };
    const { actions } = await restore_container.plan(again, fakeHost({ facts }));
    expect(actions[0]).toMatchObject({
      stdin: expect.stringContaining('"Image":"sha256:1"') as string,
    });
  });
});
