import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { effectOf } from '../../src/core/module.ts';
import { k0s } from '../../src/modules/k0s.ts';
import { fileFact, testModule } from '../helpers/module-tester.ts';

const joinToken = (id: string) =>
  gzipSync(
    `users:\n- name: kubelet-bootstrap\n  user:\n    token: ${id}.0123456789abcdef\n`,
  ).toString('base64');

describe('the result of a k0s token', () => {
  it.each([
    [joinToken('abc123'), { token_id: 'abc123' }],
    ['not base64 of gzip', {}],
    [gzipSync('no token').toString('base64'), {}],
  ])('contains the ID of a valid token: %s', (stdout, more) => {
    const said = { code: 0, stdout, stderr: '' };
    const { result = {} } = k0s.conclude?.([said], { token: 'worker' }) ?? {};
    expect(result).toEqual(more);
  });
});

const k0sHas = (state: object = {}) => ({
  'k0s.state /usr/local/bin/k0s /var/lib/k0s': {
    ...{ version: 'v1.30.9+k0s.0', role: undefined, active: false, enabled: false },
    ...{ hasData: false, hasTraces: false, left: [], mounts: [] },
    ...state,
  },
});

const controller = { role: 'controller', enabled: true, hasData: true };

testModule(k0s, {
  settled: [
    {
      title: 'reports the installation without a state',
      args: {},
      facts: { ...k0sHas(), 'k0s.stock': 'link lo\n' },
      result: { role: '', active: false, stock: 'link lo\n' },
    },
    {
      title: 'k0s is installed in the role',
      args: { state: 'installed', role: 'controller' },
      facts: k0sHas(controller),
    },
    {
      title: 'the service is running',
      args: { state: 'started' },
      facts: k0sHas({ ...controller, active: true }),
    },
    { title: 'the service is stopped', args: { state: 'stopped' }, facts: k0sHas(controller) },
    { title: 'there is nothing to reset', args: { state: 'reset' }, facts: k0sHas() },
    {
      title: 'there is nothing to reset, also outside the directories of k0s',
      args: { state: 'reset', before: 'link lo\npath /opt/cni\n' },
      facts: { ...k0sHas(), 'k0s.stock': 'link lo\n' },
    },
    {
      title: 'there is nothing to uninstall',
      args: { state: 'uninstalled' },
      facts: k0sHas({ version: undefined }),
    },
  ],
  changes: [
    {
      title: 'installs a worker; the undo resets it',
      args: { state: 'installed', role: 'worker', token_file: '/t', flags: ['--labels=a=b'] },
      facts: k0sHas(),
      actions: ['exec /usr/local/bin/k0s install worker --token-file /t --labels=a=b'],
      restore: [
        { module: 'k0s', args: { state: 'stopped' } },
        { module: 'k0s', args: { state: 'reset' } },
      ],
    },
    {
      title: 'installs on existing data; the undo keeps them',
      args: { state: 'installed', role: 'controller', config: '/c' },
      facts: k0sHas({ hasData: true }),
      actions: ['exec /usr/local/bin/k0s install controller --config /c'],
      restore: [
        { module: 'k0s', args: { state: 'stopped' } },
        { module: 'k0s', args: { state: 'uninstalled' } },
      ],
    },
    {
      title: 'starts the service',
      args: { state: 'started' },
      facts: k0sHas(controller),
      actions: ['exec systemctl start k0scontroller.service'],
      restore: [{ module: 'k0s', args: { state: 'stopped' } }],
    },
    {
      title: 'stops the service',
      args: { state: 'stopped' },
      facts: k0sHas({ ...controller, active: true }),
      actions: ['exec systemctl stop k0scontroller.service'],
      restore: [{ module: 'k0s', args: { state: 'started' } }],
    },
    {
      title: 'uninstalls the service; the undo restores the unit',
      args: { state: 'uninstalled' },
      facts: {
        ...k0sHas(controller),
        'file.state /etc/systemd/system/k0scontroller.service': fileFact({ checksum: 'x' }),
      },
      actions: [
        'exec systemctl disable k0scontroller.service',
        'remove /etc/systemd/system/k0scontroller.service',
        'exec systemctl daemon-reload',
      ],
      restore: [
        {
          module: 'restore_path',
          args: {
            ...{ path: '/etc/systemd/system/k0scontroller.service', state: 'file', mode: '0644' },
            ...{ owner: 'root', group: 'root', checksum: 'x' },
            copy: '/captured/etc/systemd/system/k0scontroller.service',
          },
        },
        {
          module: 'systemd_service',
          args: { name: 'k0scontroller', enabled: true, daemon_reload: true },
        },
      ],
    },
    {
      title: 'resets an installed k0s',
      args: { state: 'reset' },
      facts: k0sHas(controller),
      actions: [expect.stringContaining('k0s-reset /var/lib/k0s') as string],
    },
    {
      title: 'resets data without a unit and without the program',
      args: { state: 'reset', data_dir: '/srv/k0s' },
      facts: {
        'k0s.state /usr/local/bin/k0s /srv/k0s': {
          ...{ version: undefined, role: undefined, active: false, enabled: false },
          ...{ hasData: true, hasTraces: false, left: [], mounts: [] },
        },
      },
      actions: [expect.stringContaining('k0s-reset /srv/k0s') as string],
    },
    {
      title: 'resets a failed unit without its file',
      args: { state: 'reset' },
      facts: k0sHas({ hasTraces: true }),
      actions: [expect.stringContaining('k0s-reset /var/lib/k0s') as string],
    },
    {
      title: 'resets paths outside the directories of k0s',
      args: { state: 'reset', before: 'link lo\n' },
      facts: { ...k0sHas(), 'k0s.stock': 'link lo\npath /opt/cni\n' },
      actions: [expect.stringContaining('k0s-reset /var/lib/k0s') as string],
    },
    {
      title: 'revokes a token',
      args: { revoke_token: 'abc123' },
      facts: k0sHas({ ...controller, active: true }),
      actions: ['exec /usr/local/bin/k0s token invalidate abc123'],
      restore: [],
    },
    {
      title: 'creates a token, which needs no undo',
      args: { token: 'worker', expiry: '10m' },
      facts: k0sHas({ ...controller, active: true }),
      actions: ['exec /usr/local/bin/k0s token create --role=worker --expiry=10m'],
      restore: [],
    },
  ],
  refused: [
    {
      title: '"state: installed" without a role',
      args: { state: 'installed' },
      code: 'TASK_FAILED',
    },
    {
      title: 'installing another role',
      args: { state: 'installed', role: 'worker' },
      facts: k0sHas(controller),
      code: 'TASK_FAILED',
    },
    {
      title: 'resetting a running k0s',
      args: { state: 'reset' },
      facts: k0sHas({ ...controller, active: true }),
      code: 'TASK_FAILED',
    },
    {
      title: 'starting a service that is not installed',
      args: { state: 'started' },
      facts: k0sHas(),
      code: 'TASK_FAILED',
    },
    {
      title: 'creating a token on a worker',
      args: { token: 'worker' },
      facts: k0sHas(),
      code: 'TASK_FAILED',
    },
    {
      title: 'installing without the program',
      args: { state: 'started' },
      facts: k0sHas({ version: undefined }),
      code: 'TASK_FAILED',
    },
    {
      title: '"before" without "state: reset"',
      args: { state: 'stopped', before: 'link lo' },
      code: 'TASK_FAILED',
    },
    {
      title: '"token" and "state" together',
      args: { token: 'worker', state: 'started' },
      code: 'TASK_FAILED',
    },
    {
      title: 'revoking a token by its text instead of its ID',
      args: { revoke_token: joinToken('abc123') },
      code: 'SCHEMA',
    },
    {
      title: 'a flag without dashes',
      args: { state: 'installed', role: 'worker', flags: ['x'] },
      code: 'SCHEMA',
    },
  ],
});

it('k0s without state and token only reads, so that no lock is needed', () => {
  expect(effectOf(k0s, {})).toBe('reads');
  for (const args of [{ token: 'worker' }, { revoke_token: 'abc123' }, { state: 'started' }])
    expect(effectOf(k0s, args)).toBe('restores');
});
