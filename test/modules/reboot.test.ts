import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { reboot } from '../../src/modules/reboot.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';
import { itWith } from '../helpers/programs.ts';

testModule(reboot, {
  acts: true,
  settled: [],
  changes: [
    {
      title: 'reboots and waits for another boot ID',
      args: { reboot_command: 'shutdown -r now' },
      facts: { 'boot.id': 'b00t' },
      actions: ['restart the host: shutdown -r now'],
    },
    {
      title: 'notifies users, then waits before the reboot',
      args: { msg: "It's time.", pre_reboot_delay: 5, reboot_command: 'reboot' },
      facts: { 'boot.id': 'b00t' },
      actions: ['restart the host: reboot'],
    },
  ],
});

describe('the restart command of reboot', () => {
  const plan = async () => {
    const args = { msg: "It's time.", pre_reboot_delay: 2, post_reboot_delay: 30 };
    const { actions } = await reboot.plan(args, fakeHost({ facts: { 'boot.id': 'b' } }));
    const [, , text = ''] = actions[0]?.kind === 'reboot' ? actions[0].argv : [];
    return { actions, text };
  };

  it('is valid in dash and in the POSIX mode of bash', async () => {
    const { actions, text } = await plan();
    expect(actions).toMatchObject([{ kind: 'reboot', timeoutSeconds: 602, delaySeconds: 30 }]);
    execFileSync('dash', ['-n', '-c', text]);
    execFileSync('bash', ['--posix', '-n', '-c', text]);
    expect(text).toMatch(/^\{ ! command -v wall .*\nsleep 2\nif command/);
  });

  itWith('busybox')('is a shell text that busybox parses', async () => {
    const { text } = await plan();
    execFileSync('busybox', ['sh', '-n', '-c', text]);
  });
});
