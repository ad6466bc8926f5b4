import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { eventReader, type ProcessResult } from '../../src/chaos/runner-process.ts';
import { main } from '../../src/cli/main.ts';
import { createWorld } from '../../src/cli/world.ts';
import type { RunEvent } from '../../src/output/events.ts';
import type { Clock } from '../../src/core/ports.ts';
import { packageRoot } from '../../src/util/package.ts';
import { systemRandom } from '../../src/util/random.ts';
import { sleep, systemClock } from '../../src/util/time.ts';

export interface CallOptions {
  env: Record<string, string>;
  cwd: string;
  timeoutMs: number;
  onEvent?: ((event: RunEvent) => void) | undefined;
}

/** Number of calls that are running in this process. */
let active = 0;

/**
 * The working directory and home belong to the process, so only one call at a time can set them.
 */
export function isCalling(): boolean {
  return active > 0;
}

/**
 * Runs a command line of `runner` in this process, which is faster than a new one.
 * @throws Error when it exceeds the time limit, after which it is interrupted
 */
export async function callRunner(
  argv: readonly string[],
  { env, cwd, timeoutMs, onEvent }: CallOptions,
): Promise<ProcessResult> {
  const events: RunEvent[] = [];
  const read = eventReader((event) => {
    events.push(event);
    onEvent?.(event);
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const signals = new EventEmitter();
  const world = createWorld({
    env,
    stdout: collector(out, read),
    stderr: collector(err),
    stdin: new Readable({ read: () => undefined }),
    readStdin: () => Buffer.alloc(0),
    signals,
    clock: fastClock(),
    random: systemRandom,
    program: join(packageRoot(), 'bin', 'runner.js'),
  });
  const before = { cwd: process.cwd(), home: process.env['HOME'] };
  active++;
  process.chdir(cwd);
  process.env['HOME'] = env['HOME'] ?? cwd;
  try {
    const code = await withLimit(main(argv, world), timeoutMs, () => {
      signals.emit('SIGINT');
      signals.emit('SIGINT');
    });
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8');
    return {
      code: code ?? null,
      stdout: text(out),
      stderr: text(err),
      events,
      timedOut: code === undefined,
    };
  } finally {
    active--;
    process.chdir(before.cwd);
    if (before.home === undefined) delete process.env['HOME'];
    else process.env['HOME'] = before.home;
  }
}

/**
 * Factor by which pauses, retries and waiting for hosts are faster. Hosts and their programs keep
 * real time.
 */
const SPEED = 20;

let skippedMs = 0;

/** Moves the clock of the running call ahead; started pauses are not shortened. */
export function skipTime(seconds: number): void {
  skippedMs += seconds * 1000;
}

function fastClock(): Clock {
  const start = Date.now();
  const skippedBefore = skippedMs;
  return {
    now: () => start + (Date.now() - start) * SPEED + skippedMs - skippedBefore,
    sleep: (ms, signal) => sleep(ms / SPEED, signal),
    every: (ms, work) => systemClock.every(ms / SPEED, work),
  };
}

function collector(chunks: Buffer[], read?: (chunk: string) => void): Writable {
  return new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      read?.(chunk.toString('utf8'));
      done();
    },
  });
}

async function withLimit(
  work: Promise<number>,
  timeoutMs: number,
  giveUp: () => void,
): Promise<number | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      giveUp();
      resolve(undefined);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
