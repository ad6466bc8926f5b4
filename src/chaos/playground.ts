import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Inventory } from '../core/inventory.ts';
import type { JsonObject } from '../core/json.ts';
import { LAB_ADMIN } from '../lab/mke3-answers.ts';
import { Mke3Cluster } from '../lab/mke3-cluster.ts';
import { Lab, type LabHost } from '../lab/lab.ts';
import { TreeSnapshot } from '../lab/snapshot.ts';
import { labTree } from '../lab/tree.ts';

/** Lab hosts on which a playbook is tested, and the command-line arguments that connect to them. */
export interface Playground {
  hosts: LabHost[];
  /** Flags for the inventory and the inputs of the hosts. */
  args: string[];
  env: Record<string, string>;
  /** Every file of every host, with mode and content. */
  tree(): Record<string, string>;
  /** Records the state of the lab and of the controller's files for `restore`. */
  snapshot(): void;
  restore(): Promise<void>;
  stop(): Promise<void>;
}

/** Which hosts a playground has. */
export type PlaygroundSpec =
  | { kind: 'hosts'; inventory: Inventory; input: string | undefined }
  | { kind: 'mke3'; managers: number; workers: number };

export async function startPlayground(spec: PlaygroundSpec): Promise<Playground> {
  const dir = mkdtempSync(join(tmpdir(), 'runner-test-'));
  const remove = () => {
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    if (spec.kind === 'mke3') {
      const cluster = await Mke3Cluster.start(spec);
      return {
        hosts: cluster.lab.hosts,
        args: cluster.upgradeInputs(dir),
        env: {
          MKE3_ADMIN_PASSWORD: LAB_ADMIN.password,
          RUNNER_KNOWN_HOSTS: cluster.lab.files.knownHosts,
        },
        ...stateOf(cluster.lab, dir),
        stop: async () => {
          await cluster.stop();
          remove();
        },
      };
    }
    const names = [...spec.inventory.hosts.keys()].filter((name) => name !== 'localhost');
    const lab = await Lab.start(names);
    const file = join(dir, 'inventory.yml');
    writeFileSync(file, labInventory(spec.inventory, lab), { mode: 0o600 });
    return {
      hosts: lab.hosts,
      args: [spec.input ?? '--inventory', file],
      env: { RUNNER_KNOWN_HOSTS: lab.files.knownHosts },
      ...stateOf(lab, dir),
      stop: async () => {
        await lab.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** @param dir directory that the runner reads and writes on the controller */
function stateOf(lab: Lab, dir: string): Pick<Playground, 'tree' | 'snapshot' | 'restore'> {
  let controller: TreeSnapshot | undefined;
  return {
    tree: () => labTree(lab),
    snapshot: () => {
      lab.snapshot();
      controller = new TreeSnapshot(dir);
    },
    restore: async () => {
      await lab.restore();
      controller?.restore();
    },
  };
}

/** The hosts, groups and variables of the operator, with lab addresses. */
function labInventory({ hosts, groups }: Inventory, lab: Lab): string {
  const all: JsonObject = {};
  for (const { name, address, port } of lab.hosts) {
    all[name] = {
      ...hosts.get(name)?.vars,
      ansible_host: address,
      ansible_port: port,
      ansible_user: 'root',
      ansible_ssh_private_key_file: lab.files.key,
    };
  }
  const children: JsonObject = {};
  for (const [group, members] of groups) {
    if (group === 'all' || group === 'ungrouped') continue;
    const known = members.filter((name) => name in all);
    children[group] = { hosts: Object.fromEntries(known.map((name) => [name, {}])) };
  }
  return stringify({ all: { hosts: all, children } });
}
