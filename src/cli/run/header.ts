import type { Inventory } from '../../core/inventory.ts';
import type { JsonObject } from '../../core/json.ts';
import type { RunSettings } from '../../engine/settings.ts';
import type { InputSpec } from '../../language/document.ts';
import { journalFormat, type JournalRecord, type PinnedFile } from '../../journal/records.ts';
import type { RecordedRun } from '../../journal/recorded-run.ts';
import { describeChange } from '../../output/step-list.ts';
import { packageVersion } from '../../util/package.ts';
import type { VaultSource } from '../../util/vault.ts';
import { recordedBecome } from '../flags/become.ts';
import { recordedFlags } from '../flags/connect.ts';
import type { PlayOptions } from '../flags/play.ts';
import { recordedVaultFlags } from '../flags/vault.ts';
import { bootIdentity } from '../run-process.ts';
import type { World } from '../world.ts';
import type { PreparedRun } from './prepare.ts';

/** The first record of a journal. `recorded.ts` reads it for a later `resume` or `rollback`. */
export function headerOf(
  world: World,
  { playbook, options, settings, inventory, secretFiles }: PreparedRun,
  { vault, files }: { vault: VaultSource[]; files: PinnedFile[] },
): JournalRecord {
  return {
    ...({ t: 'run', format: journalFormat, runner: packageVersion() } as const),
    run: settings.run,
    playbook: playbook.path,
    name: playbook.name,
    changes: playbook.changes.map(describeChange),
    check: settings.check,
    startedAt: settings.startedAt.toISOString(),
    pid: process.pid,
    bootId: bootIdentity(),
    options: {
      ...recordedOptions(settings, options),
      ...recordedVaultFlags(world, options),
      ...recordedBecome(options),
    },
    inputs: settings.variables,
    inputDefaults: settings.inputDefaults,
    secrets: recordedSecrets(playbook.inputs, settings.variables, secretFiles),
    hosts: [...inventory.hosts.values()].map(({ address }) => address),
    inventory: {
      file: inventory.file,
      vars: Object.fromEntries([...inventory.hosts].map(([name, { vars }]) => [name, vars])),
      groups: Object.fromEntries(inventory.groups),
      ...passwordSource(inventory),
    },
    files,
    vault,
  };
}

/** Where the passwords of hosts come from, without the passwords. */
function passwordSource({
  passwords,
}: Inventory): Pick<RecordedRun['header']['inventory'], 'passwords'> {
  if (!passwords) return {};
  const { source, varsDirectories } = passwords;
  return { passwords: { source, varsDirectories } };
}

function recordedOptions(settings: RunSettings, options: PlayOptions): JsonObject {
  const { tags, skipTags, limit, leftOut, forks, accepted, onFailure } = settings;
  return {
    leftOut: [...leftOut],
    tags,
    skipTags,
    forks,
    accepted,
    ...(limit === undefined ? {} : { limit }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...recordedFlags(options),
  };
}

/** The given secret inputs, and where a later command can read each again. */
function recordedSecrets(
  inputs: readonly InputSpec[],
  given: JsonObject,
  files: Readonly<Record<string, string>>,
): RecordedRun['header']['secrets'] {
  return inputs
    .filter(({ name, secret }) => secret && name in given)
    .map(({ name, env, required }) => {
      const file = files[name];
      return {
        name,
        env: env ?? name.toUpperCase(),
        ...(file === undefined ? {} : { file }),
        ...(required ? {} : { optional: true as const }),
      };
    });
}
