import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeProblem } from '../../src/core/errors.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { randomOf } from '../helpers/seed.ts';

const dir = mkdtempSync(join(tmpdir(), 'runner-keys-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const next = randomOf('no key lost');
const some = <T>(list: readonly T[]): T[] => list.filter(() => next() < 0.5);
let count = 0;
/** A unique value. */
const mark = (): string => `mark${String(++count)}x`;
const port = (): number => 20_000 + ++count;

const roles = {
  k0sctl: ['controller', 'worker', 'controller+worker', 'single'],
  launchpad: ['manager', 'worker', 'msr'],
  mke4: ['controller+worker', 'worker'],
};
const heads = {
  k0sctl: { apiVersion: 'k0sctl.k0sproject.io/v1beta1', kind: 'Cluster' },
  launchpad: { apiVersion: 'launchpad.mirantis.com/mke/v1.5', kind: 'mke' },
  mke4: { apiVersion: 'mke.mirantis.com/v1alpha1', kind: 'MkeConfig' },
};
const hostKeys =
  'privateAddress privateInterface environment hostname labels reset noTaints installFlags os hooks files dataDir kubeletRootDir uploadBinary useExistingK0s k0sBinaryPath k0sInstallPath k0sDownloadURL sudodocker sudooverride mcrupgradeskip swarmAddress mcrConfig imageDir unheardOf'.split(
    ' ',
  );

function sshMap(depth = 0): JsonObject {
  const map: JsonObject = { address: mark() };
  for (const key of some(['user', 'keyPath', 'hostKey', 'unknownKey'])) map[key] = mark();
  if (next() < 0.5) map['port'] = port();
  if (next() < 0.3) map['options'] = { HostKeyAlias: mark(), Ciphers: mark() };
  if (depth < 2 && next() < 0.4) map['bastion'] = sshMap(depth + 1);
  return map;
}

function openSshMap(): JsonObject {
  const map: JsonObject = { address: mark() };
  for (const key of some(['user', 'keyPath', 'configPath', 'unknownKey'])) map[key] = mark();
  if (next() < 0.5) map['port'] = port();
  if (next() < 0.3) map['disableMultiplexing'] = true;
  if (next() < 0.5) map['options'] = { User: mark(), UserKnownHostsFile: '/dev/null' };
  return map;
}

function host(tool: keyof typeof heads): JsonObject {
  const own = Object.fromEntries(some(hostKeys).map((key): [string, JsonValue] => [key, mark()]));
  const connection = next() < 0.6 ? { ssh: sshMap() } : { openSSH: openSshMap() };
  const [role = 'worker'] = some(roles[tool]);
  return { role, ...own, ...connection };
}

/** Every key of a map and its nested maps, with its value. */
function leaves(value: JsonObject): [key: string, value: JsonValue][] {
  return Object.entries(value).flatMap(([key, one]): [string, JsonValue][] =>
    typeof one === 'object' && one !== null && !Array.isArray(one) ? leaves(one) : [[key, one]],
  );
}

describe('every key of a hosts file', () => {
  it.each(['k0sctl', 'launchpad', 'mke4'] as const)('is read or reported: %s', (tool) => {
    for (let round = 0; round < 60; round++) {
      const hosts = Array.from({ length: 1 + Math.floor(next() * 3) }, () => host(tool));
      const file = join(dir, 'hosts.yaml');
      writeFileSync(file, JSON.stringify({ ...heads[tool], spec: { hosts } }));
      const inventory = loadInventory(file);
      const read = JSON.stringify([...inventory.hosts.values()]);
      const notes = (inventory.notes ?? []).map(describeProblem).join('\n');
      const lost = hosts.flatMap(leaves).filter(([key, value]) => {
        if (key === 'role') return false;
        const isRead = typeof value === 'boolean' ? false : read.includes(String(value));
        return !isRead && !notes.includes(`"${key}"`) && !notes.includes(`"${key}=`);
      });
      expect(lost).toEqual([]);
      for (const { role } of hosts) expect(read).toContain(`"role":"${String(role)}"`);
    }
  });
});
