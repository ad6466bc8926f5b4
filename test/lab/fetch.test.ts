import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { HostsBench } from '../helpers/hosts.ts';
import { itWith } from '../helpers/programs.ts';
import { inTerminal } from '../helpers/terminal.ts';

let bench: HostsBench;
let identity: string;
let recipient: string;
beforeAll(async () => {
  bench = await HostsBench.start(1);
  identity = await generateIdentity();
  recipient = await identityToRecipient(identity);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const PASSPHRASE = 'staple battery horse';
const plain = 'the secrets of etcd\n'.repeat(20_000);
const write = (text = plain) => {
  writeFileSync(join(bench.lab.host('h1').root.dir, 'srv/etcd.db'), text);
};
const at = (...parts: string[]) => join(bench.cli.dir, ...parts);
const key = () => bench.cli.file('key.txt', `# made for a test\n${identity}\n`);

const forKey = () => `- name: Play
  hosts: all
  tasks:
    - name: Fetch
      fetch: { src: /srv/etcd.db, dest: '${at('kept')}/', encrypt: { recipients: [${recipient}] } }
`;

const withPassphrase = () => `name: Site
inputs:
  phrase: { type: string, secret: true, required: true, env: PHRASE, description: a passphrase }
plays:
  - name: Play
    hosts: all
    tasks:
      - name: Fetch
        fetch: { src: /srv/etcd.db, dest: '${at('kept')}/', encrypt: { passphrase: '{{phrase}}' } }
`;

/** Everything below the directory of the test, to find secrets in it. */
const filesOfTest = (): string =>
  readdirSync(bench.cli.dir, { recursive: true, encoding: 'utf8' })
    .map((name) => at(name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');

describe('fetch with "encrypt"', () => {
  it('stores only an encrypted file, and does so again in each run', async () => {
    write();
    for (const round of [1, 2]) {
      const { code, events, stdout } = await bench.play(forKey());
      expect(code, stdout).toBe(0);
      expect(events).toContainEqual(
        expect.objectContaining({
          type: 'unit-end',
          state: 'changed',
          actions: [
            `fetch /srv/etcd.db -> ${at('kept', 'etcd.db.age')} on the controller, encrypted`,
          ],
        }),
      );
      expect(readdirSync(at('kept')), `run ${String(round)}`).toEqual(['etcd.db.age']);
    }
    expect(statSync(at('kept', 'etcd.db.age')).mode & 0o777).toBe(0o600);
    expect(filesOfTest()).not.toContain('secrets of etcd');
    const { code, stdout } = await bench.cli.run(['decrypt', 'kept/etcd.db.age', '-i', key()]);
    expect(code, stdout).toBe(0);
    expect(readFileSync(at('kept', 'etcd.db'), 'utf8')).toBe(plain);
    expect(statSync(at('kept', 'etcd.db')).mode & 0o777).toBe(0o600);
  });

  it('predicts a change in check mode and writes nothing', async () => {
    write();
    const { code, events } = await bench.play(forKey(), ['--check']);
    expect(code).toBe(0);
    expect(events).toContainEqual(expect.objectContaining({ type: 'unit-end', state: 'changed' }));
    expect(existsSync(at('kept'))).toBe(false);
  });

  it('takes its passphrase from a secret input, which appears nowhere', async () => {
    write('');
    const env = { PHRASE: PASSPHRASE };
    const played = await bench.play(withPassphrase(), ['-v'], { env });
    expect(played.code, played.stdout).toBe(0);
    expect(readdirSync(at('kept'))).toEqual(['etcd.db.age']);
    expect(played.stdout + played.stderr + filesOfTest()).not.toContain(PASSPHRASE);
    const decrypted = await bench.cli.run(['decrypt', 'kept/etcd.db.age'], {
      env: { RUNNER_BACKUP_PASSPHRASE: PASSPHRASE },
    });
    expect(decrypted.code, decrypted.stderr).toBe(0);
    expect(readFileSync(at('kept', 'etcd.db'), 'utf8')).toBe('');
  });

  it('fails before it reads the file when a public key is damaged', async () => {
    write();
    const damaged = `${recipient.slice(0, -1)}${recipient.endsWith('q') ? 'p' : 'q'}`;
    const { code, stdout } = await bench.play(forKey().replace(recipient, damaged));
    expect(code).toBe(2);
    expect(stdout).toContain('is not a public key of age. It is damaged');
    expect(existsSync(at('kept'))).toBe(false);
  });

  it('is checked without a host', async () => {
    const file = bench.cli.file('x.yml', forKey().replace(recipient, 'ssh-ed25519'));
    const { code, stdout, stderr } = await bench.cli.run(['validate', file]);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('"encrypt.recipients.0" has the wrong format');
  });
});

describe('decrypt', () => {
  const encrypt = async () => {
    write();
    expect((await bench.play(forKey())).code).toBe(0);
    return at('kept', 'etcd.db.age');
  };
  const decrypt = (...args: string[]) => bench.cli.run(['decrypt', ...args]);

  it('refuses what it cannot read, and leaves no file behind', async () => {
    const file = await encrypt();
    const bytes = readFileSync(file);
    const other = bench.cli.file('other.txt', `${await generateIdentity()}\n`);
    const part = at('kept', 'part.age');
    writeFileSync(part, bytes.subarray(0, 200_000));
    const garbage = bench.cli.file('kept/garbage.age', 'x'.repeat(1000));
    const notKey = bench.cli.file('not-a-key.txt', `${recipient}\n`);
    const cases: [string[], string][] = [
      [[file], 'is encrypted for public keys. Name the file of the private key with --identity'],
      [[file, '-i', other], 'is not encrypted for any of the given keys.'],
      [[file, '-i', notKey], 'It is a public key: name the file with the private one.'],
      [
        [file, '-i', at('absent')],
        `--identity: cannot read "${at('absent')}": no such file or directory.`,
      ],
      [[part, '-i', key()], 'is damaged or incomplete'],
      [[garbage, '-i', key()], 'is not an age file.'],
      [
        [at('absent.age'), '-i', key()],
        `Cannot read "${at('absent.age')}": no such file or directory.`,
      ],
      [
        [at('kept'), '-i', key(), '--output', at('out')],
        `Cannot read "${at('kept')}": illegal operation on a directory.`,
      ],
      [[key(), '-i', key()], 'Name the output file with --output FILE.'],
      [[file, '-i', key(), '--output', at('no', 'dir')], `Cannot write "${at('no', 'dir')}"`],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await decrypt(...args);
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
    expect(readdirSync(at('kept')).sort()).toEqual(['etcd.db.age', 'garbage.age', 'part.age']);
  });

  it('does not replace a file', async () => {
    const file = await encrypt();
    const there = bench.cli.file('there', 'mine');
    const { code, stderr } = await decrypt(file, '-i', key(), '--output', there);
    expect(code).toBe(1);
    expect(stderr).toContain(`"${there}" already exists. Move the file away`);
    expect(readFileSync(there, 'utf8')).toBe('mine');
  });

  it('writes to standard output', async () => {
    const { code, stdout } = await decrypt(await encrypt(), '-i', key(), '--output', '-');
    expect(code).toBe(0);
    expect(stdout).toBe(plain);
    expect(readdirSync(at('kept'))).toEqual(['etcd.db.age']);
  });

  it('reads files that are text', async () => {
    const { armor } = await import('age-encryption');
    const text = bench.cli.file('a.age', armor.encode(readFileSync(await encrypt())));
    const { code, stderr } = await decrypt(text, '-i', key());
    expect(code, stderr).toBe(0);
    expect(readFileSync(at('a'), 'utf8')).toBe(plain);
    writeFileSync(text, readFileSync(text, 'utf8').slice(0, -100));
    const cut = await decrypt(text, '-i', key(), '--output', at('b'));
    expect([cut.code, cut.stderr]).toEqual([1, expect.stringContaining('damaged or incomplete')]);
  });

  it('names the ways to give a passphrase when there is none, and hides a wrong one', async () => {
    write();
    const played = await bench.play(withPassphrase(), [], { env: { PHRASE: PASSPHRASE } });
    expect(played.code, played.stdout).toBe(0);
    const file = at('kept', 'etcd.db.age');
    const none = await decrypt(file);
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringMatching(/Set RUNNER_BACKUP_PASSPHRASE, use --passphrase-file FILE, or run/),
    ]);
    const wrong = await decrypt(
      file,
      '--passphrase-file',
      bench.cli.file('wrong', 'not the one\n'),
    );
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      `runner: "${file}" is encrypted with another passphrase.\n`,
    ]);
    const right = bench.cli.file('right', `${PASSPHRASE}\n`);
    const done = await decrypt(file, '--passphrase-file', right);
    expect(done.code, done.stderr).toBe(0);
    expect(readFileSync(at('kept', 'etcd.db'), 'utf8')).toBe(plain);
  });

  itWith('script')('prompts for the passphrase in a terminal', async () => {
    write();
    await bench.play(withPassphrase(), [], { env: { PHRASE: PASSPHRASE } });
    const { code, screen } = await inTerminal(
      bench,
      ['decrypt', 'kept/etcd.db.age'],
      [['Passphrase for kept/etcd.db.age', `${PASSPHRASE}\r`]],
    );
    expect(code, screen).toBe(0);
    expect(screen).not.toContain(PASSPHRASE);
    expect(readFileSync(at('kept', 'etcd.db'), 'utf8')).toBe(plain);
  });
});

describe('a secret input that is not required', () => {
  const site = (...tasks: string[]) => `name: Site
inputs:
  phrase:
    { type: string, minLength: 8, secret: true, flag: false, default: '', env: PHRASE, prompt: Passphrase of the backup, description: a passphrase }
  key: { type: array, items: { type: string }, format: age-recipient, default: [], description: public keys }
plays:
  - name: Play
    hosts: all
    tasks:
      - { name: Write, copy: { content: x, dest: /srv/written } }
${tasks.map((task) => `      - ${task}\n`).join('')}      - name: Fetch
        fetch: { src: /srv/etcd.db, dest: '${at('kept')}/', encrypt: { passphrase: '{{phrase}}' } }
`;
  const flag =
    '{ name: Fails until the file is there, command: { argv: [test, -e, /srv/go], read_only: true } }';
  const go = () => {
    writeFileSync(join(bench.lab.host('h1').root.dir, 'srv/go'), '');
  };
  const phrase = () => bench.cli.file('phrase', `${PASSPHRASE}\n`);

  it('is not taken by a flag of its name, and a wrong one is not shown', async () => {
    const flagged = await bench.play(site(), ['--phrase', PASSPHRASE]);
    expect([flagged.code, flagged.stderr]).toEqual([
      1,
      'runner: --phrase would expose the secret in the process list. Use --phrase-file or --ask-phrase or the environment variable PHRASE.\n',
    ]);
    const short = await bench.play(site(), [], { env: { PHRASE: 'abcdefg' } });
    expect(short.code).toBe(1);
    expect(short.stderr).toContain('--phrase: The value must NOT have fewer than 8 characters.');
    expect(short.stderr).not.toContain('abcdefg');
    const absent = await bench.play(site(), ['--phrase-file', at('absent')]);
    expect(absent.stderr).toContain(`--phrase-file: cannot read "${at('absent')}".`);
    const empty = await bench.play(site(), ['--phrase-file', bench.cli.file('empty', '\n')]);
    expect(empty.stderr).toContain('--phrase-file: the first line of');
    const asked = await bench.play(site(), ['--ask-phrase']);
    expect(asked.stderr).toContain('Cannot prompt without a terminal: Passphrase of the backup.');
    const key = await bench.play(site(), ['--key', `${recipient},${recipient}x`]);
    expect(key.code).toBe(1);
    expect(key.stderr).toContain(
      `--key: "${recipient}x" is not an age public key. It is damaged: a character is missing or wrong.`,
    );
  });

  it('is read again from its file by a resumed run, and is never replaced by its name', async () => {
    write();
    const stopped = await bench.play(site(flag), [
      ...['--phrase-file', phrase(), '--on-failure', 'stop'],
    ]);
    expect(stopped.code, stopped.stdout).toBe(5);
    go();
    writeFileSync(phrase(), '');
    const without = await bench.cli.run(['resume', '--output', 'json', '--on-interrupt', 'leave']);
    expect(without.stderr).toContain('Set the environment variable PHRASE.');
    expect(without.stdout).toContain('The secret \\"phrase\\" is needed and was not supplied.');
    expect(existsSync(at('kept'))).toBe(false);

    await bench.reset();
    write();
    const again = await bench.play(site(flag), [
      ...['--phrase-file', phrase(), '--on-failure', 'stop'],
    ]);
    expect(again.code, again.stdout).toBe(5);
    go();
    const resumed = await bench.cli.run(['resume', '--output', 'json']);
    expect(resumed.code, resumed.stdout).toBe(0);
    expect(readdirSync(at('kept'))).toEqual(['etcd.db.age']);
    rmSync(phrase());
    expect(resumed.stdout + resumed.stderr + filesOfTest()).not.toContain(PASSPHRASE);
    const env = { RUNNER_BACKUP_PASSPHRASE: PASSPHRASE };
    const read = await bench.cli.run(['decrypt', at('kept', 'etcd.db.age')], { env });
    expect(read.code, read.stderr).toBe(0);
  });

  it('is not needed by a rollback', async () => {
    write();
    const env = { PHRASE: PASSPHRASE };
    const { code } = await bench.play(site(flag), ['--on-failure', 'stop'], { env });
    expect(code).toBe(5);
    const back = await bench.cli.run(['rollback', '--output', 'json']);
    expect([back.code, back.stderr]).toEqual([3, '']);
    expect(bench.read('h1', 'srv/written')).toBeUndefined();
  });

  itWith('script')('is prompted for twice with its flag --ask-NAME only', async () => {
    write();
    const file = bench.cli.file('playbook.yml', site());
    const words = ['play', file, '-i', bench.inventory, '--ask-phrase'];
    const different = await inTerminal(bench, words, [
      ['Passphrase of the backup', `${PASSPHRASE}\r`],
      ['Repeat the value', 'another phrase\r'],
    ]);
    expect(different.code).toBe(1);
    expect(different.screen).toContain('The two values do not match.');
    const { code, screen } = await inTerminal(bench, words, [
      ['Passphrase of the backup', `${PASSPHRASE}\r`],
      ['Repeat the value', `${PASSPHRASE}\r`],
    ]);
    expect(code, screen).toBe(0);
    expect(screen).not.toContain(PASSPHRASE);
    expect(readdirSync(at('kept'))).toEqual(['etcd.db.age']);
  });
});
