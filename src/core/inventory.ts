import type { HostAddress } from './host.ts';
import type { JsonObject } from './json.ts';

export interface InventoryHost {
  name: string;
  address: HostAddress;
  /** Group variables by depth, then the host's own. */
  vars: JsonObject;
}

export interface Inventory {
  /** File the hosts were read from; empty for a list on the command line. */
  file: string;
  hosts: Map<string, InventoryHost>;
  /** Members by group name. `all` is always there. */
  groups: Map<string, string[]>;
}

export const localHost: InventoryHost = {
  name: 'localhost',
  address: {
    name: 'localhost',
    transport: 'local',
    address: 'localhost',
    port: 0,
    user: undefined,
    keyPath: undefined,
  },
  vars: {},
};
