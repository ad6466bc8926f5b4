import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/output/events.ts';
import { hostsIn, stepNames } from '../helpers/cli.ts';
import { eventually } from '../helpers/eventually.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { skipTime } from '../helpers/in-process.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(2);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const boots = () => bench.lab.hosts.map(({ root }) => root.bootId());

const starts = (event: RunEvent, task: string): boolean =>
  event.type === 'step-start' && event.step.name === task;

const messagesOf = (events: readonly RunEvent[], task: string): (string | undefined)[] =>
  events.flatMap((event) =>
    event.type === 'unit-end' && event.step.name === task ? [event.message] : [],
  );

const play = (
  args: string,
  rest = '',
  extra: string[] = [],
  onEvent: (event: RunEvent) => void = () => undefined,
) =>
  bench.play(
    `
- name: Restart
  hosts: all
  become: true
  tasks:
    - name: Before
      copy: { content: x, dest: /etc/before }
    - name: Leave a process
      shell: sleep 600 >/dev/null 2>&1 & echo $! | tee /root/pid >/run/pid
      undo: none
    - name: Restart
      reboot: ${args}
      register: restarted
${rest}`,
    extra,
    { onEvent },
  );

describe('reboot', () => {
  it('restarts hosts in parallel and continues once they are up; a rollback does not restart them', async () => {
    const before = boots();
    const { code, events, stdout } = await play(
      '{ msg: "It is time", pre_reboot_delay: 0.1, post_reboot_delay: 1 }',
      `
    - name: After
      assert: { that: ['restarted.rebooted', 'restarted.elapsed > 0'] }
    - name: Check that the earlier process ended
      shell: '! test -e /run/pid && ! kill -0 "$(cat /root/pid)"'
      args: { read_only: true }
`,
    );
    expect(code, stdout).toBe(0);
    expect(hostsIn(events, 'Restart', 'changed').sort()).toEqual(['h1', 'h2']);
    const after = boots();
    expect(after.filter((boot) => before.includes(boot))).toEqual([]);
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
    expect(boots()).toEqual(after);
  });

  it('restarts no host in check mode and reports the change', async () => {
    const before = boots();
    const { code, events } = await play('{}', '', ['--check']);
    expect(code).toBe(0);
    expect(hostsIn(events, 'Restart', 'changed').sort()).toEqual(['h1', 'h2']);
    expect(boots()).toEqual(before);
  });

  it('does not prevent the undo of earlier tasks', async () => {
    const { code } = await play('{}', '    - { name: No, fail: { msg: no } }');
    expect(code).toBe(3);
    expect(bench.read('h1', 'etc/before')).toBeUndefined();
  });

  it('fails if the host does not go down', async () => {
    const { code, events } = await play('{ reboot_command: "true", reboot_timeout: 30 }');
    expect(code).toBe(3);
    expect(messagesOf(events, 'Restart')[0]).toContain('The host did not restart within 30 s.');
  });

  it('fails with the error of a failed reboot_command', async () => {
    const { code, events } = await play('{ reboot_command: "echo not now >&2; exit 1" }');
    expect(code).toBe(3);
    expect(messagesOf(events, 'Restart')[0]).toContain('failed with exit code 1: not now');
  });

  it('fails if test_command does not succeed after the restart', async () => {
    const asked = (name: string) => existsSync(join(bench.lab.files.shared, `asked.${name}`));
    const { code, events } = await play(
      '{ test_command: "touch /run/cluster/asked.$(hostname); echo not well >&2; false" }',
      '',
      [],
      (event) => {
        if (starts(event, 'Restart'))
          void eventually(() => asked('h1') && asked('h2')).then(() => {
            skipTime(600);
          });
      },
    );
    expect(code).toBe(3);
    expect(messagesOf(events, 'Restart')[0]).toMatch(/did not succeed within 600 s: not well/);
  });

  it('marks a host that does not come up as unreachable, and its rollback waits for it', async () => {
    const { root, server } = bench.lab.host('h2');
    const boot = root.bootId();
    let waited = false;
    const { code, events } = await bench.play(
      `
- name: Restart
  hosts: all
  tasks:
    - { name: Before, copy: { content: x, dest: /etc/before } }
    - name: Restart
      reboot: { reboot_timeout: 40 }
      when: inventory_hostname == "h2"
`,
      ['--rollback-budget', '600', '--connect-timeout', '2'],
      {
        onEvent: (event) => {
          if (starts(event, 'Restart'))
            void eventually(() => root.bootId() !== boot).then(() => {
              server.setFault({ refuse: true });
            });
          if (event.type === 'message' && event.text.includes('Unreachable: ')) {
            waited = true;
            server.setFault({});
          }
        },
      },
    );
    expect(code).toBe(3);
    expect(waited).toBe(true);
    expect(hostsIn(events, 'Restart', 'skipped')).toEqual(['h1']);
    expect(hostsIn(events, 'Restart', 'unreachable')).toEqual(['h2']);
    expect(messagesOf(events, 'Restart')).toContainEqual(
      expect.stringContaining('"h2" did not come back within 40 s after the restart'),
    );
    for (const { name } of bench.lab.hosts) expect(bench.read(name, 'etc/before')).toBeUndefined();
  });

  it('is repeated by a resume if the controller is killed during the restart', async () => {
    const before = boots();
    const down = () => boots().every((boot) => !before.includes(boot));
    const { code, events } = await bench.spawn(
      `
- name: Restart
  hosts: all
  tasks:
    - { name: Before, copy: { content: x, dest: /etc/before } }
    - { name: Restart, reboot: {} }
    - { name: After, copy: { content: x, dest: /etc/after } }
`,
      [],
      {
        onEvent: (event, child) => {
          if (starts(event, 'Restart')) void eventually(down).then(() => child.kill('SIGKILL'));
        },
      },
    );
    expect(code).toBeNull();
    expect(stepNames(events)).not.toContain('After');
    const resumed = await bench.cli.run(['resume', '--output', 'json']);
    expect(resumed.code, resumed.stdout).toBe(0);
    expect(bench.read('h1', 'etc/after')).toBe('x');
    const back = await bench.cli.run(['rollback', '--output', 'json']);
    expect(back.code).toBe(3);
    expect(bench.read('h1', 'etc/before')).toBeUndefined();
  });

  it('fails on the controller', async () => {
    const { code, stdout } = await bench.play(
      '- { name: Me, hosts: localhost, tasks: [{ name: Restart, reboot: {} }] }',
    );
    expect(stdout).toContain('The controller cannot restart itself');
    expect(code).toBe(3);
  });
});
