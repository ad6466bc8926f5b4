import type { Problem } from './errors.ts';
import type { HostAddress } from './host.ts';
import type { Source, SourceObject } from './value.ts';
import type { SourceRef } from './source.ts';

export interface InventoryHost {
  name: string;
  address: HostAddress;
  /** Group variables by depth, then the host's own. */
  vars: SourceObject;
}

/** Where a variable of a host is set, weakest first. */
export interface VariableOrigin {
  name: string;
  value: Source;
  /** Such as "group web" or "host". */
  level: string;
  at: SourceRef | undefined;
}

export interface Inventory {
  /** File the hosts were read from; empty for a list on the command line. */
  file: string;
  hosts: Map<string, InventoryHost>;
  /** Members by group name. `all` is always there. */
  groups: Map<string, string[]>;
  /** By host; absent for hosts that are known from a journal. */
  origins?: Map<string, VariableOrigin[]>;
  /** What of the files is not honoured, and what to do instead. */
  notes?: readonly Problem[];
  /** Absent when the files have none. */
  passwords?: InventoryPasswords;
}

/** Passwords that hosts files have. A record has only where they are, so that a later resume or rollback can read them again. */
export interface InventoryPasswords {
  hosts: ReadonlyMap<string, HostPasswords>;
  source: string;
  varsFolders: readonly string[];
}

export interface HostPasswords {
  login?: string;
  become?: string;
}

export const localHost: InventoryHost = {
  name: 'localhost',
  address: {
    name: 'localhost',
    transport: 'local',
    transportGiven: true,
    address: 'localhost',
    port: 0,
    user: undefined,
    keyPath: undefined,
  },
  vars: {},
};

/** The controller is a host of each inventory. */
export function inventoryHost(inventory: Inventory, name: string): InventoryHost | undefined {
  return inventory.hosts.get(name) ?? (name === 'localhost' ? localHost : undefined);
}
