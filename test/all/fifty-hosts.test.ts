import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { hostsIn } from '../helpers/cli.ts';
import { eventually } from '../helpers/eventually.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { itWith } from '../helpers/programs.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(50);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

describe('the embedded lab with fifty hosts', () => {
  it('has a separate file system and hostname for every host', async () => {
    const { code, events } = await bench.play(`
- name: Fifty
  hosts: all
  tasks:
    - name: Write
      copy: { content: '{{inventory_hostname}}', dest: /etc/runner-lab-name }
    - name: Read the hostname
      command: { argv: [hostname], read_only: true }
      register: name
    - name: Check the hostname
      assert: { that: [name.stdout == inventory_hostname] }
`);
    expect(code).toBe(0);
    expect(hostsIn(events, 'Write', 'changed')).toHaveLength(50);
    expect(existsSync('/etc/runner-lab-name')).toBe(false);
    expect(bench.read('h37', 'etc/runner-lab-name')).toBe('h37');
  });
});

describe('the live display of a play on fifty hosts', () => {
  itWith('script')('fits into 80x24 characters and leaves one line per step', async () => {
    // The step ends when the display has shown that it has more hosts than rows.
    const playbook = bench.cli.file(
      'live.yml',
      `
- name: Live
  hosts: all
  tasks:
    - name: Takes a moment
      shell: { cmd: 'echo line; until test -e /run/cluster/go; do sleep 0.2; done', read_only: true }
`,
    );
    const command = [
      ...[process.execPath, join(packageRoot(), 'bin', 'runner.js'), 'play', playbook],
      ...['-i', bench.inventory, '--known-hosts', bench.lab.files.knownHosts],
    ];
    const quoted = command.map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qec', `stty rows 24 cols 80; ${quoted}`, '/dev/null'], {
      env: {
        ...process.env,
        SHELL: '/bin/sh',
        HOME: bench.cli.dir,
        XDG_STATE_HOME: join(bench.cli.dir, 'state'),
        TERM: 'xterm',
      },
    });
    let screen = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      screen += chunk;
    });
    const closed = once(child, 'close') as Promise<[number]>;
    try {
      await eventually(() => /… and \d+ more/.test(screen) || child.exitCode !== null);
    } finally {
      writeFileSync(join(bench.lab.files.shared, 'go'), '');
    }
    const [code] = await closed;
    expect(code, screen).toBe(0);
    expect(screen).toContain('Takes a moment  ');
    expect(screen).toMatch(/… and \d+ more/);
    const heights = [...screen.matchAll(/\[(\d+)A/g)].map((match) => Number(match[1]));
    expect(Math.max(...heights)).toBeLessThan(24);
    // Color codes do not count as characters.
    const plain = stripVTControlCharacters(screen);
    for (const line of plain.split(/\r?\n/))
      if (!line.startsWith('Run ')) expect(line.length).toBeLessThan(80);
    expect(plain).toContain('50 hosts');
  });
});
