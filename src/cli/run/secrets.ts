import { RunnerError, UsageError } from '../../core/errors.ts';
import type { Move } from '../../journal/lifecycle.ts';
import type { RecordedRun } from '../../journal/recorded-run.ts';
import { openSource, type VaultKey } from '../../util/vault.ts';
import { revealLater } from '../../journal/stored.ts';
import { parsePlain } from '../../yaml/yaml.ts';
import { printMessage } from '../fail.ts';
import { flagOf } from '../flags/inputs.ts';
import { firstLine } from '../flags/passwords.ts';
import { readInventory } from '../host-selection.ts';
import { readVaultKeys, vaultFlagsIn } from '../flags/vault.ts';
import { askSecret, askSecretTwice, canAsk } from '../operator.ts';
import { createVault, type World } from '../world.ts';
import { recordedVault } from './recorded.ts';

/**
 * Reads secrets again from a file, the environment or a prompt, because the journal contains only
 * references to them. A rollback does not prompt for optional secrets.
 */
export async function readSecretsAgain(world: World, run: RecordedRun, mode: Move): Promise<void> {
  const late = new Set(run.secrets.map(({ name }) => name));
  const secrets: RecordedRun['header']['secrets'] = [...run.header.secrets, ...run.secrets];
  for (const { name, env, file, optional = false } of secrets) {
    const value =
      secretFrom(world, file, name) ??
      (world.env[env] || undefined) ??
      (optional && mode === 'rollback' ? undefined : await askAgain(world, name, optional));
    if (value !== undefined) world.redactor.add(name, value, { late: late.has(name), optional });
    else if (mode === 'resume')
      printMessage(
        world,
        `warning: The secret "${name}" was not supplied. A step that needs it will fail. Set the environment variable ${env}.`,
      );
  }
}

/**
 * Reads the passwords of hosts again from the inventory, because the journal does not contain them.
 */
export function readPasswordsAgain(world: World, { header }: RecordedRun): void {
  const { passwords } = header.inventory;
  if (!passwords) return;
  const { source, varsDirectories } = passwords;
  try {
    const given = revealLater({ ...header.inputDefaults, ...header.inputs }, world.redactor);
    readInventory(world, source, { varsDirectories, given });
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error;
    printMessage(world, `warning: Cannot read the passwords of hosts again. ${error.describe()}`);
  }
}

async function askAgain(world: World, name: string, twice: boolean): Promise<string | undefined> {
  if (!canAsk(world)) return undefined;
  const question = `${name} (as in the first run)`;
  return twice ? askSecretTwice(world, question) : askSecret(world, question);
}

function secretFrom(world: World, file: string | undefined, name: string): string | undefined {
  if (file === undefined) return undefined;
  try {
    return firstLine(file, `${flagOf(name)}-file`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    printMessage(world, `warning: ${error.describe()}`);
    return undefined;
  }
}

/**
 * Decrypts the encrypted values in the journal, with the password from the options or from its
 * recorded source.
 */
export async function openVaultAgain(
  world: World,
  run: RecordedRun,
  argv: readonly string[],
): Promise<void> {
  const given = vaultFlagsIn(argv);
  const says =
    given.askVaultPass === true ||
    (given.vaultId ?? []).length + (given.vaultPasswordFile ?? []).length > 0;
  if (run.vault.length === 0 && !says) return;
  let keys: VaultKey[];
  try {
    keys = await readVaultKeys(world, says ? given : recordedVault(run));
  } catch (error) {
    if (!(error instanceof UsageError) || says) throw error;
    printMessage(world, `warning: ${error.describe()} Encrypted values are not available.`);
    return;
  }
  world.vault = createVault(world, keys);
  for (const source of run.vault) {
    for (const { name, value } of openSource(source, keys, parsePlain))
      world.redactor.add(name, value);
  }
}
