import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hostsIn, stepNames } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(2);
});
afterAll(() => bench.stop());
beforeEach(() => {
  bench.forgetRuns();
});

describe('facts', () => {
  it('are gathered when something asks for them, once in a run', async () => {
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

  it('are not gathered where the play says so', async () => {
    const { code, stdout } = await bench.play(
      `- { name: No, hosts: h1, gather_facts: false, tasks: [{ name: A, debug: { msg: '{{ansible_facts.kernel}}' } }] }`,
    );
    expect(code).toBe(2);
    expect(stdout).toContain('ansible_facts');
  });

  it('are those of now for an undo that asks', async () => {
    const { code, stdout } = await bench.play(`
- name: Live
  hosts: h1
  tasks:
    - name: Write
      shell: echo was >/etc/live
      undo:
        - name: Note
          shell: echo {{live.facts.hostname}} {{ansible_facts.distribution}} >/etc/live
    - { name: No, fail: { msg: '{{ansible_facts.distribution}}' } }
`);
    expect(code, stdout).toBe(3);
    expect(bench.read('h1', 'etc/live')).toBe('h1 Ubuntu\n');
  });
});
