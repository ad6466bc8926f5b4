import type { HostAddress } from '../core/host.ts';
import type { MetaNode } from '../language/document.ts';
import { applyConsequence, type Knowledge } from './knowledge.ts';
import type { Place } from './step-key.ts';

export interface MetaParts {
  knowledge: Knowledge;
  /** Deletes the cached facts of a host. */
  forget: (address: HostAddress) => void;
  /** Closes the connections to a host. */
  reset: (address: HostAddress) => Promise<void>;
}

/** Runs the action of a `meta` step on the hosts whose condition is true. */
export async function runMeta(
  { knowledge, forget, reset }: MetaParts,
  { action }: Pick<MetaNode, 'action'>,
  hosts: readonly string[],
  { play, batch, roles }: Place,
): Promise<void> {
  const end = (of: string, ended: readonly string[], everywhere = false) => {
    applyConsequence(knowledge, { kind: 'ended', of, hosts: ended, everywhere });
  };
  const addresses = () =>
    hosts.flatMap((host) => knowledge.inventory.hosts.get(host)?.address ?? []);
  switch (action) {
    case 'end_play':
      end(play.id, batch, true);
      break;
    case 'end_batch':
      end(play.id, batch);
      break;
    case 'end_host':
      end(play.id, hosts);
      break;
    case 'end_role':
      end(roles.at(-1) ?? play.id, hosts);
      break;
    case 'clear_facts':
      for (const host of hosts) applyConsequence(knowledge, { kind: 'facts-forgotten', host });
      addresses().forEach(forget);
      break;
    case 'reset_connection':
      await Promise.all(addresses().map(reset));
      break;
  }
}
