import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { expandHome } from '../../util/paths.ts';
import type { VaultKey } from '../../util/vault.ts';
import { askSecret, canAsk } from '../operator.ts';
import { createVault, type World } from '../world.ts';
import { earlyOptions } from './early.ts';
import { collect } from './words.ts';

/** Sources of vault passwords. */
export interface VaultFlags {
  vaultId?: string[];
  vaultPasswordFile?: string[];
  askVaultPass?: boolean;
}

const PROGRAM_MS = 60_000;

export function addVaultOptions(command: Command): Command {
  return command
    .optionsGroup('Encrypted values:')
    .option(
      '--vault-password-file <FILE>',
      'file with the vault password, or a program that prints it; may be repeated (or environment variable RUNNER_VAULT_PASSWORD_FILE)',
      collect,
    )
    .option(
      '--vault-id <NAME@SOURCE>',
      'vault password with a name; SOURCE is such a file or program, or "prompt"; may be repeated',
      collect,
    )
    .option('-J, --ask-vault-pass', 'prompt for the vault password');
}

/**
 * Parses only the vault options: loading the playbook requires them, and its inputs are options,
 * too.
 */
export function vaultFlagsIn(argv: readonly string[]): VaultFlags {
  return earlyOptions(argv, addVaultOptions);
}

/** Password sources, without secrets, that a later rollback or resume of the run uses again. */
export function recordedVaultFlags(world: World, argv: VaultFlags): JsonObject {
  const ids = (argv.vaultId ?? []).map((word) => {
    const { id, source } = splitId(word);
    return source === 'prompt' ? word : `${id}@${resolve(expandHome(source))}`;
  });
  const given = passwordFiles(world, argv);
  return {
    ...(given.length > 0
      ? { vaultPasswordFile: given.map((file) => resolve(expandHome(file))) }
      : {}),
    ...(ids.length > 0 ? { vaultId: ids } : {}),
    ...(argv.askVaultPass === true ? { askVaultPass: true } : {}),
  };
}

/**
 * Password files without a vault ID: from the options or, if no option gives a source, from the
 * environment.
 */
function passwordFiles(
  { env }: World,
  { vaultId = [], vaultPasswordFile = [] }: VaultFlags,
): string[] {
  if (vaultPasswordFile.length > 0 || vaultId.length > 0) return vaultPasswordFile;
  const file = env['RUNNER_VAULT_PASSWORD_FILE'] || env['ANSIBLE_VAULT_PASSWORD_FILE'];
  return file ? [file] : [];
}

/** @throws UsageError if a password cannot be read */
export async function readVaultKeys(world: World, flags: VaultFlags): Promise<VaultKey[]> {
  const keys: VaultKey[] = [];
  for (const word of flags.vaultId ?? []) {
    const { id, source } = splitId(word);
    const password = source === 'prompt' ? await ask(world, id) : passwordFrom(source, id);
    keys.push({ id, password });
  }
  for (const file of passwordFiles(world, flags))
    keys.push({ id: 'default', password: passwordFrom(file, 'default') });
  if (flags.askVaultPass === true)
    keys.push({ id: 'default', password: await ask(world, 'default') });
  for (const { id, password } of keys) world.redactor.hide(`--vault-id ${id}`, password);
  return keys;
}

/**
 * Decrypts values for this command. `lenient`: values without a matching password stay encrypted,
 * without an error.
 */
export async function openVault(
  world: World,
  argv: readonly string[],
  { lenient = false } = {},
): Promise<void> {
  world.vault = createVault(world, await readVaultKeys(world, vaultFlagsIn(argv)), lenient);
}

/** Parses `name@source`. A path alone gets the name "default". */
function splitId(word: string): { id: string; source: string } {
  const [, id, source] = /^([^@]*)@(.+)$/.exec(word) ?? [];
  return { id: id || 'default', source: source ?? word };
}

async function ask(world: World, id: string): Promise<string> {
  if (!canAsk(world))
    throw new UsageError('Cannot prompt for the vault password without a terminal.', {
      hint: 'Use --vault-password-file.',
    });
  const password = await askSecret(
    world,
    id === 'default' ? 'Vault password' : `Vault password "${id}"`,
  );
  if (password) return password;
  throw new UsageError('No password was given.');
}

/**
 * The content of a file, or the output of a program. A program named "…-client" gets the vault ID
 * as an argument.
 */
function passwordFrom(source: string, id: string): string {
  const file = resolve(expandHome(source));
  let text: string;
  try {
    text = isProgram(file)
      ? execFileSync(file, /-client(\.\w+)?$/.test(basename(file)) ? ['--vault-id', id] : [], {
          encoding: 'utf8',
          timeout: PROGRAM_MS,
          stdio: ['ignore', 'pipe', 'inherit'],
        })
      : readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`Cannot read the vault password from "${source}".`, {
      hint: (error as Error).message.split('\n')[0],
      cause: error,
    });
  }
  const password = text.trim();
  if (password !== '') return password;
  throw new UsageError(`"${source}" contains no password.`);
}

function isProgram(file: string): boolean {
  if (!statSync(file).isFile()) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
