import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '../../src/lab/lab.ts';
import { Cli } from '../helpers/cli.ts';
import { itWith } from '../helpers/programs.ts';

describe('the embedded lab', () => {
  itWith('ssh')('accepts connections of OpenSSH and removes its files when it stops', async () => {
    const lab = await Lab.start(['h1']);
    const { dir, key, knownHosts } = lab.files;
    try {
      const { address, port } = lab.host('h1');
      const ssh = spawn('ssh', [
        ...['-i', key, '-p', String(port)],
        ...['-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'BatchMode=yes'],
        `root@${address}`,
        'hostname; touch /usr/x 2>&1; exit 3',
      ]);
      let output = '';
      ssh.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
      const [code] = (await once(ssh, 'close')) as [number];
      expect(output).toContain('h1\n');
      expect(output).toContain('Read-only file system');
      expect(code).toBe(3);
    } finally {
      await lab.stop();
    }
    expect(existsSync(dir)).toBe(false);
  });
});

describe('the command line', () => {
  let cli: Cli;
  beforeAll(() => {
    cli = new Cli();
  });
  afterAll(() => {
    cli.dispose();
  });

  it('starts as a program of the package', async () => {
    const { code, stdout, stderr } = await cli.spawn(['version']);
    expect(stdout, stderr).toMatch(/^runner \d/);
    expect(code).toBe(0);
  });

  it.each([
    ['lists its commands', ['--help'], 'rollback'],
    ['lists modules', ['doc'], 'lineinfile'],
    ['documents a module', ['doc', 'copy'], 'Undo: automatic.'],
    ['documents a role', ['doc', 'k0s_worker'], 'k0s worker'],
    ['documents a playbook with its inputs', ['doc', 'upgrade.yml'], '--hosts-path (required)'],
    ['prints a default configuration', ['init'], 'kind: MkeConfig'],
  ])('%s', async (_, words, text) => {
    const { code, stdout, stderr } = await cli.run(words);
    expect(stdout, stderr).toContain(text);
    expect(code).toBe(0);
  });
});
