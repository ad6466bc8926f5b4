import { dirname } from 'node:path';
import { JournalError } from '../../core/errors.ts';
import type { HostAddress } from '../../core/host.ts';
import type { Inventory } from '../../core/inventory.ts';
import { isOver } from '../../journal/lifecycle.ts';
import type { RecordedRun } from '../../journal/recorded-run.ts';
import { revealKnown } from '../../journal/stored.ts';
import { OpenRunError } from '../fail.ts';
import { isRunning } from '../run-process.ts';
import { allowedCommands } from '../../output/sentences.ts';
import type { World } from '../world.ts';

/** @throws OpenRunError when an earlier run on one of the hosts is not settled */
export function refuseOpenRuns({ store, redactor }: World, inventory: Inventory): void {
  const addresses = new Set([...inventory.hosts.values()].map(({ address }) => placeOf(address)));
  for (const id of store.openRuns()) {
    const run = readOpenRun(store, id);
    if (isOver(run)) {
      // Killed after the record of its end. Its locks mean nothing from now on.
      store.markClosed(id);
      continue;
    }
    const shared = run.header.hosts.filter((stored) => {
      const host = revealKnown(stored, redactor);
      return host && addresses.has(placeOf(host));
    });
    if (shared.length === 0) continue;
    const going = run.end === undefined && isRunning(run.header);
    const hosts = shared.map(({ name }) => name).join(', ');
    const what = going
      ? `is still running (process ${String(run.header.pid)}).`
      : run.end
        ? `is not settled: ${run.end.message}`
        : 'was cut off.';
    throw new OpenRunError(`Run ${id} of ${run.header.startedAt} on ${hosts} ${what}`, {
      hint: going ? 'Wait for it.' : `Settle it first: ${allowedCommands(run).join(' or ')}.`,
    });
  }
}

/** A private address means another host behind each bastion. */
function placeOf({
  address,
  port,
  jumps = [],
}: Pick<HostAddress, 'address' | 'port' | 'jumps'>): string {
  return [...jumps.map(placeOf), `${address}:${String(port ?? 22)}`].join(' ');
}

/** @throws OpenRunError when the journal cannot be read: which hosts the run has left halfway is not known then */
function readOpenRun(store: World['store'], id: string): RecordedRun {
  try {
    return store.read(id);
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    throw new OpenRunError(`Run ${id} is not settled, and cannot be read. ${error.message}`, {
      hint: `${error.hint ?? 'Look at its journal.'} Once its hosts are as they should be, remove ${dirname(store.journalPath(id))}.`,
    });
  }
}
