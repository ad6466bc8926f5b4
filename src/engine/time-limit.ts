import { Template } from '../core/value.ts';
import { PlaybookError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { Playbook } from '../language/document.ts';
import type { Variables } from './variables.ts';

/**
 * Time after which no step of a playbook may start, in milliseconds since 1970; infinite without a
 * limit.
 *
 * @throws PlaybookError when the limit is not a number
 */
export function deadlineOf(
  { timeLimitSeconds: limit, plays: [play] }: Pick<Playbook, 'timeLimitSeconds' | 'plays'>,
  variables: Pick<Variables, 'ofPlay'>,
  { clock, check, hosts }: { clock: Pick<Clock, 'now'>; check: boolean; hosts: readonly string[] },
): number {
  const never = Number.POSITIVE_INFINITY;
  if (limit === undefined || !play || check) return never;
  const scope = variables.ofPlay(play, hosts);
  const seconds = Number(limit instanceof Template && scope ? scope.render(limit) : limit);
  if (seconds > 0) return clock.now() + seconds * 1000;
  if (seconds === 0) return never;
  throw new PlaybookError([
    { message: `"time_limit" must be a number of seconds, not ${String(limit)}.` },
  ]);
}
