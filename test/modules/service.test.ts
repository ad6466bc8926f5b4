import { expect, it } from 'vitest';
import { service } from '../../src/modules/service.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';

const unit = (state: object) => ({
  'systemd.unit k0sworker': {
    exists: true,
    active: false,
    enabled: false,
    masked: false,
    ...state,
  },
});

testModule(service, {
  settled: [
    {
      title: 'a unit to disable does not exist',
      args: { name: 'gone', enabled: false },
      facts: {
        'systemd.unit gone': { exists: false, active: false, enabled: false, masked: false },
      },
    },
    {
      title: 'a user unit is running',
      args: { name: 'sync', state: 'started', scope: 'user' },
      facts: {
        'systemd.unit sync user': { exists: true, active: true, enabled: true, masked: false },
      },
    },
    {
      title: 'the unit is running',
      args: { name: 'k0sworker', state: 'started' },
      facts: unit({ active: true }),
    },
    {
      title: 'a unit to stop does not exist',
      args: { name: 'k0sworker', state: 'stopped' },
      facts: unit({ exists: false }),
    },
    {
      title: 'a stopped unit is not restarted with only_if_active',
      args: { name: 'k0sworker', state: 'restarted', only_if_active: true },
      facts: unit({}),
    },
  ],
  changes: [
    {
      title: 'starts a user unit',
      args: { name: 'sync', state: 'started', scope: 'user' },
      facts: {
        'systemd.unit sync user': { exists: true, active: false, enabled: true, masked: false },
      },
      actions: [expect.stringMatching(/systemctl --user "\$@" systemctl start sync$/) as string],
      restore: [{ module: 'service', args: { name: 'sync', scope: 'user', state: 'stopped' } }],
    },
    {
      title: 'reloads the unit files without a unit',
      args: { daemon_reload: true, daemon_reexec: true },
      actions: ['exec systemctl daemon-reexec', 'exec systemctl daemon-reload'],
      restore: [],
    },
    {
      title: 'starts without waiting if "no_block" is set',
      args: { name: 'k0sworker', state: 'started', no_block: true, enabled: true },
      facts: unit({}),
      actions: ['exec systemctl enable k0sworker', 'exec systemctl --no-block start k0sworker'],
    },
    {
      title: 'stops and disables a unit; the undo restores both',
      args: { name: 'k0sworker', state: 'stopped', enabled: false },
      facts: unit({ active: true, enabled: true }),
      actions: ['exec systemctl disable k0sworker', 'exec systemctl stop k0sworker'],
      restore: [
        { module: 'service', args: { name: 'k0sworker', state: 'started', enabled: true } },
      ],
    },
    {
      title: 'reloads the unit files before it starts a unit',
      args: { name: 'k0sworker', state: 'started', daemon_reload: true },
      facts: unit({}),
      actions: ['exec systemctl daemon-reload', 'exec systemctl start k0sworker'],
      restore: [{ module: 'service', args: { name: 'k0sworker', state: 'stopped' } }],
    },
    {
      title: 'restarts a unit',
      args: { name: 'k0sworker', state: 'restarted' },
      facts: unit({ active: true }),
      actions: ['exec systemctl restart k0sworker'],
    },
  ],
  refused: [
    {
      title: 'a unit that does not exist',
      args: { name: 'k0sworker', state: 'started' },
      facts: unit({ exists: false }),
      code: 'TASK_FAILED',
    },
    { title: 'an unknown state', args: { name: 'k0sworker', state: 'running' }, code: 'SCHEMA' },
  ],
});

it('a handler that runs again in a rollback does not start a stopped service', async () => {
  const args = { name: 'k0sworker', state: 'restarted' } as const;
  const { undo } = await service.plan(args, fakeHost({ facts: unit({ active: true }) }));
  expect(undo?.rerun).toEqual({ module: 'service', args: { ...args, only_if_active: true } });
});
