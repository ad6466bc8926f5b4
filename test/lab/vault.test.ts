import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encryptVault } from '../../src/util/vault.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(1);
});
afterAll(() => bench.stop());
beforeEach(async () => {
  await bench.reset();
  bench.cli.file('pw', 'correct horse\n');
});

const key = { id: 'default', password: 'correct horse' };
const prod = { id: 'prod', password: 'of production' };
const inline = (text: string, own = key) =>
  `!vault |\n${encryptVault(Buffer.from(text), own).trimEnd().replaceAll(/^/gm, '          ')}`;

/** Writes a playbook with an encrypted variable, and an encrypted file in group_vars. */
function write(tail = ''): string {
  mkdirSync(join(bench.cli.dir, 'group_vars'), { recursive: true });
  writeFileSync(
    join(bench.cli.dir, 'group_vars', 'all.yml'),
    encryptVault(Buffer.from('db: { password: wonderland-9, port: 5432 }\n'), key),
  );
  return bench.cli.file(
    'vault.yml',
    `- name: Play
  hosts: all
  vars:
    token: ${inline('{{not a template}} abracadabra').replaceAll('\n', '\n    ')}
  tasks:
    - { name: Config, copy: { content: "{{token}} {{db.password}} {{db.port}}", dest: /srv/config } }
    - name: Command
      shell: cat /srv/config; echo "$PASSWORD" >/srv/command
      environment: { PASSWORD: "{{db.password}}" }
      undo: [{ name: Back, shell: 'test "$(cat /srv/command)" = {{db.password}} && rm /srv/command' }]
${tail}`,
  );
}

const play = (playbook: string, ...extra: string[]) =>
  bench.cli.run(['play', playbook, '-i', bench.inventory, '--output', 'json', ...extra]);
const password = () => ['--vault-password-file', join(bench.cli.dir, 'pw')];

/** The contents of all files in the state directory: journals, outputs and settings of the runs. */
function recordedState(): string {
  const files = readdirSync(bench.cli.stateDir, { recursive: true, encoding: 'utf8' });
  return files
    .map((name) => join(bench.cli.stateDir, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
}

const failingTask = '    - { name: Fails, fail: { msg: no } }\n';
/** Runs the playbook up to the failing task and leaves the changes in place. */
const stopAtFailure = async (tail = failingTask) => {
  const stopped = await play(write(tail), ...password(), '--on-failure', 'stop');
  expect(stopped.code, stopped.stdout).toBe(5);
};

describe('encrypted variables and files', () => {
  it('are decrypted on the host and masked in the output and in the recorded run', async () => {
    const { code, stdout, stderr } = await play(write(), '--diff', '-v', ...password());
    expect(code, stdout + stderr).toBe(0);
    expect(bench.read('h1', 'srv/config')).toBe('{{not a template}} abracadabra wonderland-9 5432');
    const seen = stdout + stderr + recordedState();
    expect(seen).not.toContain('wonderland');
    expect(seen).not.toContain('abracadabra');
    expect(seen).not.toContain('correct horse');
    expect(seen).toContain('{"secret":"vault:');
  });

  it('copy and template decrypt files and show no diff of them', async () => {
    const key4096 = `-----BEGIN PRIVATE KEY-----\nMIIabcdefghijkl\n${'x'.repeat(300_000)}\n`;
    bench.cli.file('key.pem', encryptVault(Buffer.from(key4096), key));
    bench.cli.file('app.conf', encryptVault(Buffer.from('pin={{inventory_hostname}}-471147'), key));
    const playbook = bench.cli.file(
      'files.yml',
      `- name: P
  hosts: all
  tasks:
    - { name: Key, copy: { src: key.pem, dest: /srv/key.pem } }
    - { name: Config, template: { src: app.conf, dest: /srv/app.conf } }
`,
    );
    const { code, stdout, stderr } = await play(playbook, '--diff', ...password());
    expect(code, stdout.slice(0, 2000) + stderr).toBe(0);
    expect(bench.read('h1', 'srv/key.pem')).toBe(key4096);
    expect(bench.read('h1', 'srv/app.conf')).toBe('pin=h1-471147');
    const again = await play(playbook, ...password());
    expect(
      again.events.some((event) => event.type === 'unit-end' && event.state === 'changed'),
    ).toBe(false);
    const seen = stdout + stderr + recordedState();
    expect(seen).not.toContain('MIIabcdefghijkl');
    expect(seen).not.toContain('471147');
    const without = await play(playbook);
    expect(without.stdout).toContain('key.pem\\" is encrypted, and there is no password');
  });

  it('a rollback reads the password file of the run', async () => {
    await stopAtFailure();
    const back = await bench.cli.run(['rollback', '--output', 'json']);
    expect(back.code, back.stdout + back.stderr).toBe(3);
    expect(bench.read('h1', 'srv/command')).toBeUndefined();
    expect(bench.read('h1', 'srv/config')).toBeUndefined();
  });

  it('a rollback restores text of a host that looks like a reference to a secret', async () => {
    const name = `vault:${join(bench.cli.dir, 'group_vars', 'all.yml')}#db.password`;
    const text = `⟦secret:${name}⟧ {"$text":[{"secret":"${name}"}]}`;
    await bench.shell('h1', `printf %s '${text}' >/srv/hostile`);
    const task = `    - name: Overwrite
      shell: echo changed >/srv/hostile
      capture: [{ name: Old, shell: cat /srv/hostile, register: old }]
      undo: [{ name: Back, copy: { content: "{{captured.old.stdout}}", dest: /srv/hostile } }]
`;
    await stopAtFailure(task + failingTask);
    expect(bench.read('h1', 'srv/hostile')).toBe('changed\n');
    const back = await bench.cli.run(['rollback', '--output', 'json']);
    expect(back.code, back.stdout + back.stderr).toBe(3);
    expect(bench.read('h1', 'srv/hostile')).toBe(text);
  });

  it('a rollback does not read a password file of the environment that the run ignored', async () => {
    const flags = ['--vault-id', `own@${join(bench.cli.dir, 'pw')}`];
    const env = { RUNNER_VAULT_PASSWORD_FILE: '/nonexistent/password' };
    const args = ['play', write(failingTask), '-i', bench.inventory, '--on-failure', 'stop'];
    expect((await bench.cli.run([...args, ...flags], { env })).code).toBe(5);
    const back = await bench.cli.run(['rollback']);
    expect(back.code, back.stdout + back.stderr).toBe(3);
    expect(back.stderr).toBe('');
  });

  it('a rollback without the password is incomplete and names --vault-password-file', async () => {
    await stopAtFailure();
    bench.cli.file('other', 'battery staple');
    const wrong = await bench.cli.run([
      ...['rollback', '--output', 'json'],
      ...['--vault-password-file', join(bench.cli.dir, 'other')],
    ]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('encrypted with another password');
    writeFileSync(join(bench.cli.dir, 'pw'), '');
    const missing = await bench.cli.run(['rollback', '--output', 'json']);
    expect(missing.code, missing.stdout).toBe(4);
    expect(missing.stderr).toContain('contains no password');
    expect(missing.stdout).toContain('--vault-password-file');
    bench.cli.file('pw', 'correct horse\n');
    const back = await bench.cli.run(['rollback', '--output', 'json']);
    expect(back.code, back.stdout).toBe(3);
  });

  it('a resumed run reads the password file of the run', async () => {
    await bench.shell('h1', 'touch /srv/broken');
    const tail = `    - name: Fails once
      shell: test ! -e /srv/broken && echo {{db.password}} >/srv/last
      undo: [{ name: Remove, file: { path: /srv/last, state: absent } }]
`;
    await stopAtFailure(tail);
    await bench.shell('h1', 'rm /srv/broken');
    const resumed = await bench.cli.run(['resume', '--output', 'json']);
    expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
    expect(bench.read('h1', 'srv/last')).toBe('wonderland-9\n');
  });

  it('fail the run before it starts if the password is missing or wrong', async () => {
    const playbook = write();
    const without = await play(playbook);
    expect(without.code).toBe(1);
    expect(without.stderr).toContain(
      'vault.yml:4:19: The value is encrypted, and there is no password for it.',
    );
    expect(without.stderr).toContain('--vault-password-file');
    bench.cli.file('pw', 'wrong');
    expect((await play(playbook, ...password())).stderr).toContain('with another password');
    const listed = await bench.cli.run(['play', playbook, '--list-tasks']);
    expect(listed.code, listed.stderr).toBe(0);
  });

  it('accept several passwords, from a file and from a client program', async () => {
    writeFileSync(
      join(bench.cli.dir, 'host_vars.yml'),
      `a: ${inline('one')}\nb: ${inline('two', prod)}\n`,
    );
    const program = bench.cli.file(
      'keys-client',
      '#!/bin/sh\n[ "$1 $2" = "--vault-id prod" ] && echo "of production"\n',
    );
    chmodSync(program, 0o700);
    const playbook = bench.cli.file(
      'several.yml',
      `- name: P
  hosts: all
  vars_files: [host_vars.yml]
  tasks:
    - { name: T, assert: { that: ['a + b == "onetwo"'] } }
`,
    );
    const { code, stderr, stdout } = await bench.cli.run([
      'play',
      playbook,
      '-i',
      bench.inventory,
      '--vault-id',
      `prod@${program}`,
      '--vault-password-file',
      join(bench.cli.dir, 'pw'),
    ]);
    expect(code, stdout + stderr).toBe(0);
  });
});

describe('runner vault', () => {
  const vault = (...words: string[]) => bench.cli.run(['vault', ...words, ...password()]);
  const text = () => readFileSync(join(bench.cli.dir, 'secret.yml'), 'utf8');

  it('encrypts, views, edits, rekeys and decrypts a file', async () => {
    const file = bench.cli.file('secret.yml', 'a: hidden\n');
    expect((await vault('encrypt', file)).code).toBe(0);
    expect(text()).toMatch(/^\$ANSIBLE_VAULT;1\.1;AES256\n/);
    expect((await vault('view', file)).stdout).toBe('a: hidden\n');
    const editor = { env: { EDITOR: 'sed -i s/hidden/changed/' } };
    expect((await bench.cli.run(['vault', 'edit', file, ...password()], editor)).code).toBe(0);
    expect((await vault('view', file)).stdout).toBe('a: changed\n');
    bench.cli.file('new', 'new password');
    const fresh = join(bench.cli.dir, 'new');
    expect((await vault('rekey', file, '--new-vault-password-file', fresh)).code).toBe(0);
    expect((await vault('view', file)).code).toBe(1);
    expect(
      (await bench.cli.run(['vault', 'decrypt', file, '--vault-password-file', fresh])).code,
    ).toBe(0);
    expect(text()).toBe('a: changed\n');
  });

  it('does not change the file if a command fails', async () => {
    const file = bench.cli.file('secret.yml', 'a: hidden\n');
    const refused = async (...words: string[]) => {
      const before = text();
      const result = await vault(...words);
      expect(result.code).toBe(1);
      expect(text()).toBe(before);
      return result.stderr;
    };
    expect(await refused('view', file)).toContain('is not encrypted');
    await vault('encrypt', file);
    expect(await refused('encrypt', file)).toContain('is already encrypted');
    const editor = { env: { EDITOR: 'false' } };
    const failed = await bench.cli.run(['vault', 'edit', file, ...password()], editor);
    expect(failed.stderr).toContain('The editor "false" failed with exit code 1');
    expect(await refused('create', file)).toContain('already exists');
    expect((await vault('encrpt', file)).stderr).toContain('Did you mean "encrypt"?');
    expect((await bench.cli.run(['vault', 'view', file])).stderr).toContain(
      'No vault password was given.',
    );
  });

  it.each(['RUNNER_VAULT_PASSWORD_FILE', 'ANSIBLE_VAULT_PASSWORD_FILE'])(
    'reads the password file from the environment variable %s',
    async (variable) => {
      const file = bench.cli.file('secret.yml', encryptVault(Buffer.from('a: hidden\n'), key));
      const env = { [variable]: join(bench.cli.dir, 'pw') };
      const { code, stdout, stderr } = await bench.cli.run(['vault', 'view', file], { env });
      expect(code, stderr).toBe(0);
      expect(stdout).toBe('a: hidden\n');
    },
  );

  it('encrypt_string prints a variable for a playbook', async () => {
    const { stdout } = await vault('encrypt_string', '-n', 'token', 'abracadabra');
    expect(stdout).toMatch(
      /^token: !vault \|\n {10}\$ANSIBLE_VAULT;1\.1;AES256\n( {10}[0-9a-f]+\n)+$/,
    );
  });
});
