import type { Problem } from './errors.ts';
import type { HostAddress } from './host.ts';
import type { Source, SourceObject } from './value.ts';
import type { SourceRef } from './source.ts';

export interface InventoryHost {
  name: string;
  address: HostAddress;
  /** Group variables ordered by depth, then the variables of the host. */
  vars: SourceObject;
}

/** Places that set a variable of a host, lowest precedence first. */
export interface VariableOrigin {
  name: string;
  value: Source;
  /** Such as "group web" or "host". */
  level: string;
  at: SourceRef | undefined;
}

export interface Inventory {
  /** The hosts file; empty for a list on the command line. */
  file: string;
  hosts: Map<string, InventoryHost>;
  /** Members by group name. `all` is always there. */
  groups: Map<string, string[]>;
  /** By host; undefined for hosts that come from a journal. */
  origins?: Map<string, VariableOrigin[]>;
  /** Settings of the files that are not supported, and what to use instead. */
  notes?: readonly Problem[];
  /** Undefined when the files have none. */
  passwords?: InventoryPasswords;
}

/** Passwords in hosts files. The journal stores only their position, so that a later resume or rollback reads them again. */
export interface InventoryPasswords {
  hosts: ReadonlyMap<string, HostPasswords>;
  source: string;
  varsDirectories: readonly string[];
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
