import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(4);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

describe('a task that several hosts delegate to one host, where it changes one file', () => {
  it('keeps all changes, and is undone in reverse order', async () => {
    await bench.shell('h1', 'echo first >/etc/list');
    const { code, stdout, events } = await bench.play(`- name: Play
  hosts: all
  tasks:
    - { name: Add, lineinfile: { path: /etc/list, line: '{{inventory_hostname}}' }, delegate_to: h1 }
    - { name: Keep, command: { cmd: cp /etc/list /etc/seen }, undo: none, delegate_to: h1, run_once: true }
    - { name: Fails, command: { cmd: 'false' }, undo: none }
`);
    expect(code, stdout).toBe(3);
    expect(bench.read('h1', 'etc/seen')?.trim().split('\n').sort()).toEqual([
      ...['first', 'h1', 'h2', 'h3', 'h4'],
    ]);
    expect(bench.read('h1', 'etc/list')).toBe('first\n');
    expect(events.at(-1)).toMatchObject({ outcome: 'rolled_back' });
  });
});
