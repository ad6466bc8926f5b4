import type { Inventory } from '../../core/inventory.ts';
import type { JsonValue } from '../../core/json.ts';
import type { RunSettings } from '../../engine/settings.ts';
import type { OnFailure } from '../../language/document.ts';
import type { RecordedRun } from '../../journal/recorded-run.ts';
import { reveal, revealLater } from '../../journal/stored.ts';
import type { Redactor } from '../../util/redact.ts';
import type { ConnectFlags } from '../flags/connect.ts';
import type { VaultFlags } from '../flags/vault.ts';

/** The settings that a run started with. */
export type RecordedSettings = Pick<
  RunSettings,
  | 'run'
  | 'tags'
  | 'skipTags'
  | 'limit'
  | 'leftOut'
  | 'startedAt'
  | 'forks'
  | 'variables'
  | 'inputDefaults'
  | 'accepted'
  | 'onFailure'
>;

/** Reads the settings that `header.ts` recorded, with the secrets that are known. */
export function recordedSettings(
  { header, accepted }: RecordedRun,
  redactor: Redactor,
): RecordedSettings {
  const { options, inputs, inputDefaults } = header;
  return {
    run: header.run,
    tags: texts(options['tags']),
    skipTags: texts(options['skipTags']),
    limit: text(options['limit']),
    leftOut: texts(options['leftOut']),
    startedAt: new Date(header.startedAt),
    forks: typeof options['forks'] === 'number' ? options['forks'] : 50,
    // A missing secret is reported where it is used.
    variables: revealLater(inputs, redactor),
    inputDefaults: revealLater(inputDefaults, redactor),
    accepted: [...texts(options['accepted']), ...accepted],
    onFailure: onFailureOf(options['onFailure']),
  };
}

/** The connection options that the run started with. */
export function recordedConnection({ header }: RecordedRun): ConnectFlags {
  const flags: ConnectFlags = {};
  const knownHosts = text(header.options['knownHosts']);
  const sshConfig = text(header.options['sshConfig']);
  const transport = text(header.options['transport']);
  if (knownHosts !== undefined) flags.knownHosts = knownHosts;
  if (sshConfig !== undefined) flags.sshConfig = sshConfig;
  if (transport === 'ssh' || transport === 'openssh') flags.transport = transport;
  return flags;
}

/** The sources of vault passwords that the run started with. */
export function recordedVault({ header: { options } }: RecordedRun): VaultFlags {
  return {
    vaultId: texts(options['vaultId']),
    vaultPasswordFile: texts(options['vaultPasswordFile']),
    askVaultPass: options['askVaultPass'] === true,
  };
}

/** The inventory that the run started with. */
export function recordedInventory(
  { header, hosts: addresses }: RecordedRun,
  redactor: Redactor,
): Inventory {
  const { file, groups } = header.inventory;
  const hosts = new Map(
    [...addresses].map(([name, stored]) => {
      const vars = header.inventory.vars[name];
      const address = reveal(stored, redactor);
      return [name, { name, address, vars: vars ? revealLater(vars, redactor) : {} }];
    }),
  );
  return { file, hosts, groups: new Map(Object.entries(groups)) };
}

function onFailureOf(value: JsonValue | undefined): OnFailure | undefined {
  return value === 'auto' || value === 'ask' || value === 'stop' ? value : undefined;
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function texts(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
