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

/** @throws OpenRunError if an earlier run on one of the hosts is not finished */
export function refuseOpenRuns({ store, redactor }: World, inventory: Inventory): void {
  const addresses = new Set([...inventory.hosts.values()].map(({ address }) => placeOf(address)));
  for (const id of store.openRuns()) {
    const run = readOpenRun(store, id);
    if (isOver(run)) {
      // The process was killed after it recorded the end of the run. The locks of the run are no
      // longer valid.
      store.markClosed(id);
      continue;
    }
    const shared = run.header.hosts.filter((stored) => {
      const host = revealKnown(stored, redactor);
      return host && addresses.has(placeOf(host));
    });
    if (shared.length === 0) continue;
    const going = run.end === undefined && isRunning(run.header);
    const commands = allowedCommands(run);
    const way = commands.length > 1 ? 'Resume it or roll it back first' : 'Roll it back first';
    const hosts = shared.map(({ name }) => name).join(', ');
    const what = going
      ? `is still running (process ${String(run.header.pid)}).`
      : run.end
        ? `is not finished: ${run.end.message}`
        : 'did not finish.';
    throw new OpenRunError(`Run ${id} of ${run.header.startedAt} on ${hosts} ${what}`, {
      hint: going ? 'Wait until it has ended.' : `${way}: ${commands.join(' or ')}.`,
    });
  }
}

/** Identifies a host. The same private address behind another jump host is another host. */
function placeOf({
  address,
  port,
  jumps = [],
}: Pick<HostAddress, 'address' | 'port' | 'jumps'>): string {
  return [...jumps.map(placeOf), `${address}:${String(port ?? 22)}`].join(' ');
}

/**
 * @throws OpenRunError if the journal cannot be read, because the hosts of the run are then unknown
 */
function readOpenRun(store: World['store'], id: string): RecordedRun {
  try {
    return store.read(id);
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    throw new OpenRunError(`Run ${id} is not finished, and cannot be read. ${error.message}`, {
      hint: `${error.hint ?? 'Check its journal.'} When its hosts are in the desired state, remove ${dirname(store.journalPath(id))}.`,
    });
  }
}
