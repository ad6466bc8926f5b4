import type { Connections, HostSession, Identity } from '../core/host.ts';
import type { InventoryHost } from '../core/inventory.ts';
import type { Become } from '../language/document.ts';
import { addressWith } from './access.ts';
import type { RunSettings } from './settings.ts';

/** Time limit for queries to a host. */
export const FACT_TIMEOUT_MS = 60_000;

/** Services needed to open sessions on hosts. */
export interface Sessions {
  connections: Pick<Connections, 'session'>;
  settings: Pick<RunSettings, 'becomePassword'>;
}

/** @param become result of `renderAccess` */
export function openSession(
  { connections, settings }: Sessions,
  target: InventoryHost,
  become: Become,
): Promise<HostSession> {
  const identity: Identity = {
    user: become.enabled ? become.user : undefined,
    method: become.method,
    password: become.enabled ? settings.becomePassword : undefined,
  };
  return connections.session(addressWith(target.address, become), identity);
}
