import { dirname } from 'node:path';
import type { InventoryHost } from '../core/inventory.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Play, TaskNode } from '../language/document.ts';
import { hostsOf, type Knowledge } from './knowledge.ts';
import type { RunSettings } from './settings.ts';

/** What the magic variables of a task depend on. */
export interface MagicPlace {
  host: InventoryHost;
  play: Pick<Play, 'name' | 'hosts'>;
  /** Names of the hosts of the batch. */
  batch: readonly string[];
  role: TaskNode['role'];
  knowledge: Knowledge;
  settings: Pick<RunSettings, 'run' | 'check' | 'diff' | 'tags' | 'skipTags' | 'limit'>;
  /** Directories of the playbook and its overlays, nearest first. */
  directories: readonly string[];
  hostvars: () => JsonObject;
}

const address = {
  ansible_host: ({ address }: InventoryHost) => address.address,
  ansible_port: ({ address }: InventoryHost) => address.port ?? 22,
  ansible_user: ({ address }: InventoryHost) => address.user ?? '',
  ansible_ssh_private_key_file: ({ address }: InventoryHost) => address.keyPath ?? '',
};

/** Connection settings of the host, under Ansible's names. */
export function addressVariables(host: InventoryHost): JsonObject {
  return Object.fromEntries(
    Object.entries(address).map(([name, valueOf]) => [name, valueOf(host)]),
  );
}

/** The magic variables. No file can set them, and they take precedence over all other variables. */
export const magic: ReadonlyMap<string, (place: MagicPlace) => JsonValue> = new Map(
  Object.entries<(place: MagicPlace) => JsonValue>({
    inventory_hostname: ({ host }) => host.name,
    ...Object.fromEntries(
      Object.entries(address).map(([name, valueOf]) => [
        name,
        ({ host }: MagicPlace) => valueOf(host),
      ]),
    ),
    group_names: ({ host, knowledge }) =>
      [...knowledge.groups]
        .filter(([, members]) => members.includes(host.name))
        .map(([name]) => name),
    groups: ({ knowledge }) =>
      Object.fromEntries([...knowledge.groups].map(([name, members]) => [name, [...members]])),
    hostvars: ({ hostvars }) => hostvars(),
    play: ({ play, batch, knowledge, settings }) => ({
      name: play.name,
      batch: [...batch],
      hosts: batch.filter((name) => !knowledge.failed.has(name)),
      hosts_all: hostsOf(knowledge, play.hosts, settings.limit),
      failed_hosts: [...knowledge.failed.keys()].filter((name) => batch.includes(name)),
    }),
    ansible_play_name: ({ play }) => play.name,
    ansible_play_hosts: ({ batch, knowledge }) =>
      batch.filter((name) => !knowledge.failed.has(name)),
    ansible_play_hosts_all: ({ play, knowledge, settings }) =>
      hostsOf(knowledge, play.hosts, settings.limit),
    ansible_play_batch: ({ batch }) => [...batch],
    ansible_check_mode: ({ settings }) => settings.check,
    ansible_diff_mode: ({ settings }) => settings.diff,
    ansible_run_tags: ({ settings }) => [...settings.tags],
    ansible_skip_tags: ({ settings }) => [...settings.skipTags],
    run: ({ settings: { run, check, diff, tags, skipTags } }) => ({
      id: run,
      check,
      diff,
      tags: [...tags],
      skip_tags: [...skipTags],
    }),
    playbook_dir: ({ directories }) => directories.at(-1) ?? '',
    inventory_file: ({ knowledge }) => knowledge.inventory.file,
    inventory_dir: ({ knowledge: { inventory } }) =>
      inventory.file === '' ? '' : dirname(inventory.file),
    role_name: ({ role }) => role?.name ?? '',
    role_path: ({ role }) => role?.path ?? '',
  }),
);
