import { Option, type Command } from 'commander';
import { UsageError } from '../../core/errors.ts';
import type { World } from '../world.ts';
import { addConnectOptions } from './connect.ts';
import { addVaultOptions } from './vault.ts';
import { didYouMean, printable } from '../../util/text.ts';
import { onTrace, topics, type Topic } from '../../util/trace.ts';

export interface RunFlags {
  takeOver?: string[];
  onInterrupt?: 'leave' | 'rollback' | 'continue';
  rollbackBudget?: string;
  debug?: Topic[];
}

function readTopics(value: string, known: Topic[] = []): Topic[] {
  const wanted = value.split(',').map((word) => {
    const topic = topics.find((one) => one === word.trim());
    if (topic !== undefined) return topic;
    throw new UsageError(`--debug must be one of ${topics.join(', ')}, not "${word}".`, {
      hint: didYouMean(word, topics) || undefined,
    });
  });
  return [...known, ...wanted];
}

/** Writes debug logs to standard error, one line per event, with the seconds since the start. */
export function startDebug(
  { stderr, redactor, cleanUps, clock }: World,
  { debug = [] }: RunFlags,
): void {
  const began = clock.now();
  for (const topic of new Set(debug)) {
    const stop = onTrace(topic, (text) => {
      const seconds = ((clock.now() - began) / 1000).toFixed(3);
      stderr.write(`debug ${topic} ${seconds}: ${printable(redactor.mask(text))}\n`);
    });
    cleanUps.push(stop);
  }
}

/**
 * The output format of a run. Debug logs would disturb the live display, so they imply plain
 * output.
 */
export function outputForm({ output, debug }: RunFlags & { output: string }): string {
  return output === 'auto' && debug !== undefined ? 'plain' : output;
}

/** @throws UsageError if the value is not a number of seconds */
export function budgetOf({ rollbackBudget }: RunFlags): number | undefined {
  if (rollbackBudget === undefined) return undefined;
  const seconds = Number(rollbackBudget);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new UsageError(`--rollback-budget must be a number of seconds, not "${rollbackBudget}".`);
}

/** Options of every command that plays, resumes or rolls back a run. */
export function addRunOptions(command: Command): Command {
  const withOutput = command
    .addOption(
      new Option('--output <FORM>', 'output format')
        .choices(['auto', 'live', 'plain', 'json'])
        .default('auto'),
    )
    .option(
      '--take-over <RUN>',
      'take over the host locks of this run, whose controller is lost; may be repeated',
      (value: string, known: string[] | undefined) => [...(known ?? []), value],
    )
    .addOption(
      new Option('--on-interrupt <WHAT>', 'what to do after Ctrl-C, without a prompt').choices([
        'leave',
        'rollback',
        'continue',
      ]),
    )
    .option('--rollback-budget <SECONDS>', 'how long a rollback waits for unreachable hosts')
    .option(
      '--debug <TOPICS>',
      `write debug logs to standard error: ${topics.join(', ')}, or several with commas`,
      readTopics,
    )
    .option('-v, --verbose', 'show the output of commands, and retries');
  return addVaultOptions(addConnectOptions(withOutput));
}
