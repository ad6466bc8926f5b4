import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hostsIn, stepNames } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(2);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

describe('facts', () => {
  it('are gathered once in a run, before the first play that uses them', async () => {
    const { code, stdout, events } = await bench.play(`
- name: Without
  hosts: all
  tasks: [{ name: A, debug: { msg: x } }]
- name: With
  hosts: all
  tasks:
    - name: Check
      assert:
        that:
          - ansible_facts.distribution == "Ubuntu"
          - ansible_facts.os_family == "Debian"
          - ansible_facts.hostname == inventory_hostname
          - ansible_facts.processor_vcpus > 0
          - size(ansible_facts.mounts) > 0
          - size(ansible_facts.boot_id) == 36
          - hostvars["h2"].ansible_facts.hostname == "h2"
- name: Again
  hosts: all
  gather_facts: true
  tasks: [{ name: B, debug: { msg: '{{ansible_facts.kernel}}' } }]
`);
    expect(code, stdout).toBe(0);
    expect(stepNames(events)).toEqual(['A', 'Gather facts', 'Check', 'Gather facts', 'B']);
    expect(hostsIn(events, 'Gather facts', 'ok')).toHaveLength(2);
    expect(hostsIn(events, 'Gather facts', 'skipped')).toHaveLength(2);
  });

  it('are not gathered with "gather_facts: false"', async () => {
    const { code, stdout } = await bench.play(
      `- { name: No, hosts: h1, gather_facts: false, tasks: [{ name: A, debug: { msg: '{{ansible_facts.kernel}}' } }] }`,
    );
    expect(code).toBe(2);
    expect(stdout).toContain('ansible_facts');
  });

  it('are read again for an undo that uses live.facts', async () => {
    const { code, stdout } = await bench.play(`
- name: Live
  hosts: h1
  tasks:
    - name: Write
      shell: echo was >/etc/live
      undo:
        - name: Record the facts
          shell: echo {{live.facts.hostname}} {{ansible_facts.distribution}} >/etc/live
    - { name: No, fail: { msg: '{{ansible_facts.distribution}}' } }
`);
    expect(code, stdout).toBe(3);
    expect(bench.read('h1', 'etc/live')).toBe('h1 Ubuntu\n');
  });
});

describe('facts of hosts outside the run', () => {
  const play = (hosts: string, text: string, ...extra: string[]) =>
    bench.play(
      `- { name: P, hosts: ${hosts}, gather_facts: ${String(hosts !== 'h1')}, tasks: [{ name: Say, debug: { msg: '${text}' } }] }`,
      extra,
    );
  const about = '{{hostvars.h2.ansible_facts.hostname}}';

  it('come from the fact cache, with a message about their age, until --flush-cache', async () => {
    const none = await play('h1', about);
    expect(none.code).toBe(2);
    expect(none.stdout).toContain('If the facts of that host were not gathered');
    expect((await play('all', 'x')).code).toBe(0);
    const later = await play('h1', about);
    expect(later.code, later.stdout).toBe(0);
    expect(later.events).toContainEqual(
      expect.objectContaining({
        type: 'message',
        text: expect.stringMatching(
          /^Facts of "h2" come from the fact cache and are \d+ s old/,
        ) as string,
      }),
    );
    expect(hostsIn(later.events, 'Say', 'ok')).toEqual(['h1']);
    expect((await play('h1', about, '--flush-cache')).code).toBe(2);
  });

  it('are undefined when the fact cache is damaged', async () => {
    expect((await play('all', 'x')).code).toBe(0);
    const directory = join(bench.cli.stateDir, 'facts');
    for (const name of readdirSync(directory)) {
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
      writeFileSync(join(directory, name), '{"facts":');
    }
    const { code, stdout } = await play('h1', about);
    expect(code).toBe(2);
    expect(stdout).toContain('is not defined');
  });
});
