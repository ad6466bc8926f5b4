import { UsageError } from '../../core/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { rollBack } from '../../engine/undo/rollback.ts';
import { openAlone, type RecordedRun } from '../../journal/recorded-run.ts';
import { collect } from '../flags/words.ts';
import { readRecoveryRequest, recover, type RecoverOptions } from '../run/recovery.ts';
import {
  concludeAlone,
  concludeDone,
  concludeRollback,
  type Ending,
} from '../../output/sentences.ts';
import type { World } from '../world.ts';

interface RollbackOptions extends RecoverOptions {
  host?: string[];
  skip?: string[];
}

/** `runner rollback [RUN]`: rolls back a run from its journal, without the playbook. */
export function rollbackCommand(world: World, argv: string[]): Promise<number> {
  const description = 'Roll back a run to its last commit point.';
  const request = readRecoveryRequest<RollbackOptions>(
    world,
    { mode: 'rollback', description, argv },
    (command) =>
      command
        .option('--host <NAME>', 'roll back only this host; may be repeated', collect)
        .option(
          '--skip <CHANGE>',
          'leave this change in place (its number in "runner show"); may be repeated',
          collect,
        ),
  );
  return recover(world, request, (found) => {
    const { skip: words = [], host: hosts } = request.options;
    // Checked before anything is recorded: a mistyped number must not turn a finished run into one that crashed.
    const skip = words.map((word) => unitOf(found, word));
    for (const host of hosts ?? []) {
      if (!found.hosts.has(host)) throw new UsageError(`Run ${request.id} has no host "${host}".`);
    }
    return { work: (engine) => rollBackOnRequest(engine, { skip, hosts, end: found.end }) };
  });
}

/** @param end how the run ended. Undefined if it crashed. */
async function rollBackOnRequest(
  engine: Engine,
  { skip, hosts, end }: { skip: number[]; hosts?: string[] | undefined; end: RecordedRun['end'] },
): Promise<Ending> {
  const recorded = engine.log.state;
  const id = engine.settings.run;
  const reason = end === undefined ? 'crash' : 'request';
  // Failed hosts that "max_failures" tolerated: the run continued on the others.
  const partial = hosts?.every((host) => recorded.rolledBack.has(host)) === true;
  const result = await rollBack(engine, { reason, hosts, partial, skip });
  if (partial && result.complete) {
    const left = [...recorded.rolledBack].sort();
    if (!recorded.isDoneInPart) return concludeAlone(id, left);
    return concludeDone(id, { left, incomplete: openAlone(recorded).length > 0 });
  }
  const why = end === undefined ? 'The run did not finish.' : 'Rollback on request.';
  return concludeRollback(id, result, why);
}

function unitOf({ header, units }: RecordedRun, word: string): number {
  const unit = Number(word);
  if (units.has(unit)) return unit;
  throw new UsageError(`Run ${header.run} has no change "${word}".`, {
    hint: `List its changes with: runner show ${header.run}.`,
  });
}
