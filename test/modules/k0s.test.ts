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
  ])('has the id of the token where there is one: %s', (stdout, more) => {
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
      title: 'tells what there is',
      args: {},
      facts: { ...k0sHas(), 'k0s.stock': 'link lo\n' },
      result: { role: '', active: false, stock: 'link lo\n' },
    },
    {
      title: 'is installed',
      args: { state: 'installed', role: 'controller' },
      facts: k0sHas(controller),
    },
    { title: 'runs', args: { state: 'started' }, facts: k0sHas({ ...controller, active: true }) },
    { title: 'is stopped', args: { state: 'stopped' }, facts: k0sHas(controller) },
    { title: 'is gone', args: { state: 'reset' }, facts: k0sHas() },
    {
      title: 'is gone with all that it added',
      args: { state: 'reset', before: 'link lo\npath /opt/cni\n' },
      facts: { ...k0sHas(), 'k0s.stock': 'link lo\n' },
    },
    {
      title: 'was never there',
      args: { state: 'uninstalled' },
      facts: k0sHas({ version: undefined }),
    },
  ],
  changes: [
    {
      title: 'installs a worker, and is reset on the way back',
      args: { state: 'installed', role: 'worker', token_file: '/t', flags: ['--labels=a=b'] },
      facts: k0sHas(),
      actions: ['exec /usr/local/bin/k0s install worker --token-file /t --labels=a=b'],
      restore: [
        { module: 'k0s', args: { state: 'stopped' } },
        { module: 'k0s', args: { state: 'reset' } },
      ],
    },
    {
      title: 'installs on data that are there, which outlive the way back',
      args: { state: 'installed', role: 'controller', config: '/c' },
      facts: k0sHas({ hasData: true }),
      actions: ['exec /usr/local/bin/k0s install controller --config /c'],
      restore: [
        { module: 'k0s', args: { state: 'stopped' } },
        { module: 'k0s', args: { state: 'uninstalled' } },
      ],
    },
    {
      title: 'starts',
      args: { state: 'started' },
      facts: k0sHas(controller),
      actions: ['exec systemctl start k0scontroller.service'],
      restore: [{ module: 'k0s', args: { state: 'stopped' } }],
    },
    {
      title: 'stops',
      args: { state: 'stopped' },
      facts: k0sHas({ ...controller, active: true }),
      actions: ['exec systemctl stop k0scontroller.service'],
      restore: [{ module: 'k0s', args: { state: 'started' } }],
    },
    {
      title: 'uninstalls, and brings the unit back',
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
      title: 'resets',
      args: { state: 'reset' },
      facts: k0sHas(controller),
      actions: [expect.stringContaining('k0s-reset /var/lib/k0s') as string],
    },
    {
      title: 'resets data without a unit, and without the program',
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
      title: 'resets a failed unit that is left without its file',
      args: { state: 'reset' },
      facts: k0sHas({ hasTraces: true }),
      actions: [expect.stringContaining('k0s-reset /var/lib/k0s') as string],
    },
    {
      title: 'removes what is left outside its directories',
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
      title: 'makes a token, which ends by itself',
      args: { token: 'worker', expiry: '10m' },
      facts: k0sHas({ ...controller, active: true }),
      actions: ['exec /usr/local/bin/k0s token create --role=worker --expiry=10m'],
      restore: [],
    },
  ],
  refused: [
    { title: 'no role', args: { state: 'installed' }, code: 'TASK_FAILED' },
    {
      title: 'another role',
      args: { state: 'installed', role: 'worker' },
      facts: k0sHas(controller),
      code: 'TASK_FAILED',
    },
    {
      title: 'to reset what runs',
      args: { state: 'reset' },
      facts: k0sHas({ ...controller, active: true }),
      code: 'TASK_FAILED',
    },
    {
      title: 'to start what is not installed',
      args: { state: 'started' },
      facts: k0sHas(),
      code: 'TASK_FAILED',
    },
    {
      title: 'a token of a worker',
      args: { token: 'worker' },
      facts: k0sHas(),
      code: 'TASK_FAILED',
    },
    {
      title: 'a host without it',
      args: { state: 'started' },
      facts: k0sHas({ version: undefined }),
      code: 'TASK_FAILED',
    },
    {
      title: 'a stock for something else than a reset',
      args: { state: 'stopped', before: 'link lo' },
      code: 'TASK_FAILED',
    },
    { title: 'token and state', args: { token: 'worker', state: 'started' }, code: 'TASK_FAILED' },
    {
      title: 'a token instead of its id',
      args: { revoke_token: joinToken('abc123') },
      code: 'SCHEMA',
    },
    {
      title: 'a word for a flag',
      args: { state: 'installed', role: 'worker', flags: ['x'] },
      code: 'SCHEMA',
    },
  ],
});

it('only reads without a state and a token, so that nothing is locked for it', () => {
  expect(effectOf(k0s, {})).toBe('reads');
  for (const args of [{ token: 'worker' }, { revoke_token: 'abc123' }, { state: 'started' }])
    expect(effectOf(k0s, args)).toBe('restores');
});
