import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { hostsIn } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

describe('the embedded lab', () => {
  it('carries fifty hosts in one process, each with paths of its own', async () => {
    const bench = await HostsBench.start(50);
    try {
      const { code, events } = await bench.play(`
- name: Fifty
  hosts: all
  tasks:
    - name: Write
      copy: { content: '{{inventory_hostname}}', dest: /etc/runner-lab-name }
    - name: Ask
      command: { argv: [hostname], read_only: true }
      register: name
    - name: Check
      assert: { that: [name.stdout == inventory_hostname] }
`);
      expect(code).toBe(0);
      expect(hostsIn(events, 'Write', 'changed')).toHaveLength(50);
      expect(existsSync('/etc/runner-lab-name')).toBe(false);
      expect(bench.read('h37', 'etc/runner-lab-name')).toBe('h37');
    } finally {
      await bench.stop();
    }
  });

  it('is reached by OpenSSH too, and leaves nothing behind', async () => {
    const bench = await HostsBench.start(1);
    const [host] = bench.lab.hosts;
    const { dir, key, knownHosts } = bench.lab.files;
    const args = [
      '-i',
      key,
      '-o',
      `UserKnownHostsFile=${knownHosts}`,
      '-o',
      'BatchMode=yes',
      '-p',
      String(host?.port),
    ];
    const said = await new Promise<string>((resolve, reject) => {
      const child = spawn('ssh', [
        ...args,
        `root@${host?.address ?? ''}`,
        'hostname; touch /usr/x 2>&1; exit 3',
      ]);
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      child.once('error', reject);
      child.once('close', (code) => {
        resolve(`${text}code ${String(code)}`);
      });
    });
    expect(said).toContain('h1\n');
    expect(said).toContain('Read-only file system');
    expect(said).toContain('code 3');
    await bench.stop();
    expect(existsSync(dir)).toBe(false);
  });
});

describe('the live display', () => {
  it('fits an 80x24 terminal with fifty hosts and leaves one line a step', async () => {
    const bench = await HostsBench.start(50);
    try {
      const playbook = bench.cli.file(
        'live.yml',
        `
- name: Live
  hosts: all
  tasks:
    - name: Takes a moment
      shell: { cmd: 'for i in 1 2 3 4; do echo line $i; sleep 0.2; done', read_only: true }
`,
      );
      const runner = [process.execPath, join(packageRoot(), 'bin', 'runner.js'), 'play', playbook];
      const command = [
        ...runner,
        '-i',
        bench.inventory,
        '--known-hosts',
        bench.lab.files.knownHosts,
      ];
      const quoted = command.map((word) => `'${word}'`).join(' ');
      const child = spawn('script', ['-qec', `stty rows 24 cols 80; ${quoted}`, '/dev/null'], {
        env: {
          ...process.env,
          HOME: bench.cli.dir,
          XDG_STATE_HOME: join(bench.cli.dir, 'state'),
          TERM: 'xterm',
        },
      });
      let screen = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        screen += chunk;
      });
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect(code).toBe(0);
      expect(screen).toContain('Takes a moment  ');
      expect(screen).toMatch(/… and \d+ more/);
      const heights = [...screen.matchAll(/\[(\d+)A/g)].map((match) => Number(match[1]));
      expect(Math.max(...heights)).toBeLessThan(24);
      // Colours have no width.
      const plain = stripVTControlCharacters(screen);
      for (const line of plain.split(/\r?\n/))
        if (!line.startsWith('Run ')) expect(line.length).toBeLessThan(80);
      expect(plain).toContain('50 hosts');
    } finally {
      await bench.stop();
    }
  });
});

describe('the package', () => {
  it('lists its commands and describes modules, roles and playbooks', () => {
    const runner = (...args: string[]): string =>
      execFileSync(process.execPath, [join(packageRoot(), 'bin', 'runner.js'), ...args], {
        encoding: 'utf8',
      });
    expect(runner('--help')).toContain('rollback');
    expect(runner('version')).toMatch(/^runner \d/);
    expect(runner('doc')).toContain('lineinfile');
    expect(runner('doc', 'copy')).toContain('Undo: automatic.');
    expect(runner('doc', 'k0s_worker')).toContain('k0s worker');
    expect(runner('doc', 'upgrade.yml')).toContain('--hosts-path (required)');
    expect(runner('init')).toContain('kind: MkeConfig');
  });
});
