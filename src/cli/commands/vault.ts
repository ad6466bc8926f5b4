import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Command } from 'commander';
import { exitCodes } from '../../core/states.ts';
import { systemReason, UsageError } from '../../core/errors.ts';
import { didYouMean } from '../../util/text.ts';
import { decryptVault, encryptVault, isVault, vaultId, type VaultKey } from '../../util/vault.ts';
import { newCommand } from '../command.ts';
import { addVaultOptions, readVaultKeys, type VaultFlags } from '../flags/vault.ts';
import { collect } from '../flags/words.ts';
import { askSecret, canAsk } from '../operator.ts';
import type { World } from '../world.ts';

interface Flags extends VaultFlags {
  encryptVaultId?: string;
  newVaultId?: string;
  newVaultPasswordFile?: string;
  output?: string;
  name?: string[];
  stdinName?: string;
  prompt?: boolean;
}

interface Call {
  world: World;
  files: string[];
  flags: Flags;
  keys: readonly VaultKey[];
}

interface VaultAction {
  summary: string;
  /** Its arguments in the help. */
  argument: string;
  options?: (command: Command) => Command;
  run(call: Call): number | Promise<number>;
}

const output = (command: Command): Command =>
  command.option(
    '--output <FILE>',
    'output file; "-" for standard output (default: the input file)',
  );
const encryptId = (command: Command): Command =>
  command.option(
    '--encrypt-vault-id <NAME>',
    'vault ID whose password encrypts, if several are given',
  );

const actions: Record<string, VaultAction> = {
  encrypt: {
    summary: 'encrypt files',
    argument: '<file...>',
    options: (command) => encryptId(output(command)),
    run: ({ world, files, flags, keys }) => {
      const key = encryptionKey(keys, flags.encryptVaultId);
      onlyOneTo(files, flags);
      for (const file of files) {
        const plain = readPlain(world, file);
        write(world, flags.output ?? file, encryptVault(plain, key));
      }
      return exitCodes.done;
    },
  },
  decrypt: {
    summary: 'decrypt files',
    argument: '<file...>',
    options: output,
    run: ({ world, files, flags, keys }) => {
      onlyOneTo(files, flags);
      const opened = files.map((file) => ({ file, plain: open(world, file, keys) }));
      for (const { file, plain } of opened) write(world, flags.output ?? file, plain);
      return exitCodes.done;
    },
  },
  view: {
    summary: 'print decrypted files',
    argument: '<file...>',
    run: ({ world, files, keys }) => {
      for (const file of files) world.stdout.write(open(world, file, keys));
      return exitCodes.done;
    },
  },
  create: {
    summary: 'write a new encrypted file in an editor',
    argument: '<file>',
    options: encryptId,
    run: ({ world, files: [file = ''], flags, keys }) => {
      if (existsSync(file))
        throw new UsageError(`"${file}" already exists.`, {
          hint: 'Change the file with: runner vault edit.',
        });
      const plain = edit(world, Buffer.alloc(0));
      write(world, file, encryptVault(plain, encryptionKey(keys, flags.encryptVaultId)));
      return exitCodes.done;
    },
  },
  edit: {
    summary: 'change an encrypted file in an editor',
    argument: '<file>',
    options: encryptId,
    run: ({ world, files: [file = ''], flags, keys }) => {
      const before = open(world, file, keys);
      const after = edit(world, before);
      if (after.equals(before)) return exitCodes.done;
      const id = vaultId(readFileSync(file, 'utf8')) ?? 'default';
      const own = keys.filter((key) => fits(world, file, key)).map((key) => ({ ...key, id }));
      const key = flags.encryptVaultId === undefined ? own[0] : undefined;
      write(world, file, encryptVault(after, key ?? encryptionKey(keys, flags.encryptVaultId)));
      return exitCodes.done;
    },
  },
  rekey: {
    summary: 'encrypt files with another password',
    argument: '<file...>',
    options: (command) =>
      command
        .option('--new-vault-id <NAME@SOURCE>', 'new vault password, with a name')
        .option(
          '--new-vault-password-file <FILE>',
          'file with the new vault password, or a program that prints it',
        ),
    run: async ({ world, files, flags, keys }) => {
      const opened = files.map((file) => ({ file, plain: open(world, file, keys) }));
      const key = await newKey(world, flags);
      for (const { file, plain } of opened) write(world, file, encryptVault(plain, key));
      return exitCodes.done;
    },
  },
  encrypt_string: {
    summary: 'print an encrypted value as YAML',
    argument: '[text...]',
    options: (command) =>
      encryptId(command)
        .option('-n, --name <NAME>', 'YAML key of the value; may be repeated', collect)
        .option('--stdin-name <NAME>', 'read the value from standard input; YAML key of the value')
        .option('-p, --prompt', 'prompt for the value')
        .option('--output <FILE>', 'output file (default: standard output)'),
    run: async ({ world, files: words, flags, keys }) => {
      const key = encryptionKey(keys, flags.encryptVaultId);
      const values = await stringsToEncrypt(world, words, flags);
      const text = values.map(({ name, value }) => inline(name, encryptVault(value, key))).join('');
      write(world, flags.output ?? '-', text);
      return exitCodes.done;
    },
  },
};

/**
 * `runner vault ACTION …`: encrypts and decrypts files and values in the format of ansible-vault.
 */
export async function vaultCommand(world: World, argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  const action = name === undefined ? undefined : actions[name];
  if (name === undefined || !action) {
    const lines = Object.entries(actions).map(
      ([word, { summary }]) => `  ${word.padEnd(16)} ${summary}`,
    );
    const help = `Usage: runner vault ACTION …\n\n${lines.join('\n')}\n`;
    if (name === '--help' || name === '-h') {
      world.stdout.write(help);
      return exitCodes.done;
    }
    const near = name === undefined ? '' : didYouMean(name, Object.keys(actions));
    throw new UsageError(
      name === undefined ? '"runner vault" needs an action.' : `Unknown action "${name}".`,
      { hint: near || `Use one of ${Object.keys(actions).join(', ')}.` },
    );
  }
  const command = newCommand(world, `runner vault ${name}`)
    .description(`${action.summary[0]?.toUpperCase() ?? ''}${action.summary.slice(1)}.`)
    .argument(action.argument);
  addVaultOptions(action.options?.(command) ?? command).parse(rest, { from: 'user' });
  const flags = command.opts<Flags>();
  let keys: readonly VaultKey[] = await readVaultKeys(world, flags);
  if (keys.length === 0) keys = [await askedKey(world, 'Vault password')];
  return action.run({ world, files: command.args, flags, keys });
}

async function askedKey(world: World, question: string): Promise<VaultKey> {
  if (!canAsk(world))
    throw new UsageError('No vault password was given.', {
      hint: 'Use --vault-password-file FILE or --vault-id NAME@FILE.',
    });
  const password = await askSecret(world, question);
  if (!password) throw new UsageError('No password was given.');
  return { id: 'default', password };
}

function encryptionKey(keys: readonly VaultKey[], id: string | undefined): VaultKey {
  const [first, ...others] = id === undefined ? keys : keys.filter((key) => key.id === id);
  if (first && (others.length === 0 || id !== undefined)) return first;
  const names = keys.map((key) => key.id).join(', ');
  throw new UsageError(
    first
      ? 'Several vault passwords were given, but only one can encrypt.'
      : `There is no vault password with the name "${id ?? ''}".`,
    { hint: `Use --encrypt-vault-id with one of ${names}.` },
  );
}

async function newKey(world: World, flags: Flags): Promise<VaultKey> {
  const { newVaultId: id, newVaultPasswordFile: file } = flags;
  const [key] = await readVaultKeys(world, {
    ...(id === undefined ? {} : { vaultId: [id] }),
    ...(file === undefined ? {} : { vaultPasswordFile: [file] }),
  });
  if (key && (id !== undefined || file !== undefined)) return key;
  const asked = await askedKey(world, 'New vault password');
  if ((await askSecret(world, 'Repeat the new vault password')) !== asked.password)
    throw new UsageError('The passwords do not match. Nothing was changed.');
  return asked;
}

function onlyOneTo(files: readonly string[], flags: Flags): void {
  if (files.length > 1 && flags.output !== undefined)
    throw new UsageError('--output can be used with one input file only.');
}

/** Reads a plain file. @throws UsageError if it is already encrypted */
function readPlain(world: World, file: string): Buffer {
  const bytes = readBytes(world, file);
  if (isVault(bytes.subarray(0, 100).toString('latin1')))
    throw new UsageError(`"${file}" is already encrypted.`);
  return bytes;
}

function readBytes(world: World, file: string): Buffer {
  try {
    return file === '-' ? world.readStdin() : readFileSync(file);
  } catch (error) {
    throw new UsageError(`Cannot read "${file}": ${systemReason(error)}.`, {
      cause: error,
    });
  }
}

function open(world: World, file: string, keys: readonly VaultKey[]): Buffer {
  const text = readBytes(world, file).toString('utf8');
  if (!isVault(text)) throw new UsageError(`"${file}" is not encrypted.`);
  return decryptVault(text, keys, `"${file}"`);
}

function fits(world: World, file: string, key: VaultKey): boolean {
  try {
    open(world, file, [key]);
    return true;
  } catch {
    return false;
  }
}

/** Replaces a file atomically. Only its owner can read it. */
function write(world: World, file: string, content: Buffer | string): void {
  if (file === '-') {
    world.stdout.write(content);
    return;
  }
  const fresh = `${file}.${String(process.pid)}.new`;
  try {
    writeFileSync(fresh, content, { mode: 0o600, flag: 'wx' });
    if (existsSync(file)) chmodSync(fresh, statSync(file).mode & 0o700);
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new UsageError(`Cannot write "${file}": ${systemReason(error)}.`, {
      cause: error,
    });
  }
}

/**
 * Opens the plain text in an editor. It is in a private directory, in memory if /dev/shm exists,
 * and is removed afterwards.
 */
function edit({ env }: World, before: Buffer): Buffer {
  const memory = '/dev/shm';
  const directory = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'runner-vault-'));
  const file = join(directory, 'plain.yml');
  try {
    writeFileSync(file, before, { mode: 0o600 });
    const editor = env['VISUAL'] || env['EDITOR'] || 'vi';
    // The variable may contain options, as for other programs that use it.
    const { status, error } = spawnSync('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], {
      stdio: 'inherit',
    });
    if (error || status !== 0)
      throw new UsageError(
        `The editor "${editor}" failed with exit code ${String(status)}. Nothing was changed.`,
      );
    return readFileSync(file);
  } finally {
    if (existsSync(file)) writeFileSync(file, Buffer.alloc(statSync(file).size));
    rmSync(dirname(file), { recursive: true, force: true });
  }
}

async function stringsToEncrypt(
  world: World,
  words: readonly string[],
  flags: Flags,
): Promise<{ name: string | undefined; value: Buffer }[]> {
  if (flags.prompt === true) {
    const value = canAsk(world) ? await askSecret(world, 'Value') : undefined;
    if (!value)
      throw new UsageError('No value was given.', { hint: 'Use --prompt in a terminal.' });
    return [{ name: flags.name?.[0], value: Buffer.from(value) }];
  }
  if (flags.stdinName !== undefined || words.length === 0 || words.includes('-'))
    return [{ name: flags.stdinName ?? flags.name?.[0], value: readBytes(world, '-') }];
  world.stderr.write(
    'warning: values on the command line are visible in the process list. Use standard input instead.\n',
  );
  return words.map((word, index) => ({ name: flags.name?.[index], value: Buffer.from(word) }));
}

function inline(name: string | undefined, text: string): string {
  const key = name === undefined ? '' : `${name}: `;
  const lines = text.trimEnd().split('\n');
  return `${key}!vault |\n${lines.map((line) => `          ${line}\n`).join('')}`;
}
