import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { hostsIn } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(2);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const boots = () => bench.lab.hosts.map(({ root }) => root.bootId());

const messagesOf = (events: readonly RunEvent[], task: string): (string | undefined)[] =>
  events.flatMap((event) =>
    event.type === 'unit-end' && event.step.name === task ? [event.message] : [],
  );

const play = (args: string, rest = '', extra: string[] = []) =>
  bench.play(
    `
- name: Restart
  hosts: all
  become: true
  tasks:
    - name: Before
      copy: { content: x, dest: /etc/before }
    - name: Leave a process
      shell: sleep 600 >/dev/null 2>&1 & echo $! >/run/pid
      undo: none
    - name: Restart
      reboot: ${args}
      register: restarted
${rest}`,
    extra,
  );

describe('reboot', () => {
  it('restarts hosts side by side and goes on where they are up again', async () => {
    const before = boots();
    const { code, events, stdout } = await play(
      '{ msg: "It is time", pre_reboot_delay: 1, post_reboot_delay: 1 }',
      `
    - name: After
      assert: { that: ['restarted.rebooted', 'restarted.elapsed < 60'] }
    - name: Nothing of before runs
      shell: '! test -e /run/pid && ! pgrep -f "^sleep 600"'
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

  it('is only told in check mode', async () => {
    const before = boots();
    const { code, events } = await play('{}', '', ['--check']);
    expect(code).toBe(0);
    expect(hostsIn(events, 'Restart', 'changed').sort()).toEqual(['h1', 'h2']);
    expect(boots()).toEqual(before);
  });

  it('lets earlier steps be taken back when a later one fails', async () => {
    const { code } = await play('{}', '    - { name: No, fail: { msg: no } }');
    expect(code).toBe(3);
    expect(bench.read('h1', 'etc/before')).toBeUndefined();
  });

  it('fails where the host never goes down', async () => {
    const { code, events } = await play('{ reboot_command: "true", reboot_timeout: 3 }');
    expect(code).toBe(3);
    expect(messagesOf(events, 'Restart')[0]).toContain(
      'The host was told to restart and still runs as before within 3 s.',
    );
  });

  it('fails at once where the command is refused', async () => {
    const { code, events } = await play('{ reboot_command: "echo not now >&2; exit 1" }');
    expect(code).toBe(3);
    expect(messagesOf(events, 'Restart')[0]).toContain('ended with code 1: not now');
  });

  it('fails where the host is up and not well', async () => {
    const { code, events } = await play(
      '{ test_command: "echo not well >&2; false", reboot_timeout: 6 }',
    );
    expect(code).toBe(3);
    expect(messagesOf(events, 'Restart')[0]).toMatch(/did not succeed within 6 s: not well/);
  });

  it('waits on the way back for a host that does not return', async () => {
    const { server } = bench.lab.host('h2');
    const { code, events } = await bench.play(
      `
- name: Restart
  hosts: all
  tasks:
    - { name: Before, copy: { content: x, dest: /etc/before } }
    - name: Restart
      reboot: { reboot_timeout: 4 }
      when: inventory_hostname == "h2"
`,
      ['--rollback-budget', '60'],
      {
        onEvent: (event) => {
          if (event.type === 'step-start' && event.step.name === 'Restart')
            setTimeout(() => {
              server.setFault({ refuse: true });
            }, 1000);
          if (event.type === 'unit-end' && event.step.name === 'Restart') {
            expect(event.state === 'skipped' || event.state === 'unreachable').toBe(true);
            if (event.state === 'unreachable') {
              expect(event.message).toContain(
                '"h2" was told to restart and did not come back within 4 s',
              );
              setTimeout(() => {
                server.setFault({});
              }, 1000);
            }
          }
        },
      },
    );
    expect(code).toBe(3);
    expect(hostsIn(events, 'Restart', 'unreachable')).toEqual(['h2']);
    for (const { root } of bench.lab.hosts)
      expect(existsSync(join(root.dir, 'etc/before'))).toBe(false);
  });

  it('is known to be cut off when the controller dies meanwhile', async () => {
    const { code } = await bench.spawn(
      `
- name: Restart
  hosts: all
  tasks:
    - { name: Before, copy: { content: x, dest: /etc/before2 } }
    - { name: Restart, reboot: {} }
    - { name: After, copy: { content: x, dest: /etc/after } }
`,
      [],
      {
        onEvent: (event, child) => {
          if (event.type === 'step-start' && event.step.name === 'Restart')
            setTimeout(() => child.kill('SIGKILL'), 400);
        },
      },
    );
    expect(code).toBeNull();
    const resumed = await bench.cli.run(['resume', '--output', 'json']);
    expect(resumed.code, resumed.stdout).toBe(0);
    expect(bench.read('h1', 'etc/after')).toBe('x');
    const back = await bench.cli.run(['rollback', '--output', 'json']);
    expect(back.code).toBe(3);
    expect(bench.read('h1', 'etc/before2')).toBeUndefined();
  });

  it('is refused on the controller itself', async () => {
    const { code, stdout } = await bench.play(
      '- { name: Me, hosts: localhost, tasks: [{ name: Restart, reboot: {} }] }',
    );
    expect(stdout).toContain('The controller cannot restart itself');
    expect(code).toBe(3);
  });
});
