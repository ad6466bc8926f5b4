import { describe, expect, it } from 'vitest';
import { container } from '../../src/modules/container.ts';
import { restore_container } from '../../src/modules/undo/restore_container.ts';
import { docker, inspected, listed, specification } from '../helpers/cluster-facts.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';

const resting = { State: { Status: 'exited', Running: false } };

const removedOnStop = { HostConfig: { AutoRemove: true } };

testModule(container, {
  settled: [
    {
      title: 'only lists containers with a label',
      args: { filters: ['label=app'] },
      facts: listed(['label=app'], inspected('web')),
      result: { containers: [{ name: 'web', image: 'app:1', status: 'running', running: true }] },
    },
    {
      title: 'the container is running',
      args: { name: 'web', state: 'started' },
      facts: listed(['name=^/web$'], inspected('web')),
    },
    {
      title: 'the container is stopped',
      args: { name: 'web', state: 'stopped' },
      facts: listed(['name=^/web$'], inspected('web', resting)),
    },
    {
      title: 'a container to remove does not exist',
      args: { name: 'a.b', state: 'absent' },
      facts: listed(['name=^/a\\.b$']),
    },
    { title: 'an empty list of names selects no container', args: { name: [], state: 'absent' } },
    {
      title: 'an empty list of filters selects no container',
      args: { filters: [], state: 'stopped' },
    },
    {
      title: 'all containers have the restart policy or an excluded label',
      args: { filters: ['label=app'], without_labels: ['app'], restart_policy: 'no' },
      facts: listed(['label=app'], inspected('web')),
    },
  ],
  changes: [
    {
      title: 'stops running containers with a time limit',
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
      title: 'only stops a container that was created with --rm, because the engine removes it',
      args: { name: ['web', 'job'], state: 'absent' },
      facts: listed(
        ['name=^/web$', 'name=^/job$'],
        inspected('web', removedOnStop),
        inspected('job', { ...removedOnStop, ...resting }),
      ),
      actions: ['exec docker stop web', 'exec docker rm job'],
    },
    {
      title: 'removes a container and records its configuration for the undo',
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
      title: 'a container to stop that does not exist',
      args: { name: 'web', state: 'started' },
      facts: listed(['name=^/web$']),
      code: 'TASK_FAILED',
    },
    {
      title: 'stopping a container that was created with --rm',
      args: { name: 'web', state: 'stopped' },
      facts: listed(['name=^/web$'], inspected('web', removedOnStop)),
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
    { title: 'an option as a name', args: { name: '-v' }, code: 'TASK_FAILED' },
    { title: 'neither name nor filters', args: { state: 'absent' }, code: 'SCHEMA' },
  ],
});

const again = { name: 'web', running: true, socket: '/s', specification };

describe('undo of a container', () => {
  it('is not automatic for starting a container that was created with --rm', async () => {
    const facts = listed(['name=^/web$'], inspected('web', { ...removedOnStop, ...resting }));
    const args = { name: 'web', state: 'started' } as const;
    expect(await container.plan(args, fakeHost({ facts }))).not.toHaveProperty('undo');
  });

  it('is not automatic for a removed container if the host has no curl', async () => {
    const facts = { ...listed(['name=^/web$'], inspected('web')), 'system.program curl': false };
    const args = { name: 'web', state: 'absent' as const };
    expect(await container.plan(args, fakeHost({ facts }))).not.toHaveProperty('undo');
  });

  it('restores a removed container from its original image ID after the tag moved', async () => {
    const facts = { [`container.image ${docker} app:1`]: 'sha256:2', ...listed(['name=^/web$']) };
    const { actions } = await restore_container.plan(again, fakeHost({ facts }));
    expect(actions[0]).toMatchObject({
      stdin: expect.stringContaining('"Image":"sha256:1"') as string,
    });
  });
});
