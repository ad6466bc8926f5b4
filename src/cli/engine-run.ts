import { setMaxListeners } from 'node:events';
import { exitCodes, type EventSink, type Outcome, type StepInfo } from '../core/events.ts';
import { TimeoutError } from '../core/errors.ts';
import type { FaultHook } from '../core/fault.ts';
import type { Inventory } from '../core/inventory.ts';
import type { Playbook } from '../language/document.ts';
import type { EngineContext, RunSettings } from '../engine/context.ts';
import { HostLocks } from '../engine/locks.ts';
import { rollBack, type RollbackResult } from '../engine/undo/rollback.ts';
import { runPlaybook, type RunResult } from '../engine/run.ts';
import type { Log } from '../journal/log.ts';
import { rollbackPolicy, type RecordedRun } from '../journal/recorded-run.ts';
import { OutputFile } from '../journal/output-file.ts';
import { HostConnections } from '../transport/connections.ts';
import { sendHttp } from '../transport/http.ts';
import { plural } from '../util/text.ts';
import { askAfterInterrupt, askBeforeStep, askSecret, askText, canAsk, confirm } from './prompt.ts';
import { tellEnding, WatchedOutputs } from './lost-output.ts';
import type { RunFlags } from './run-options.ts';
import type { Display } from '../output/displays.ts';
import { createReach, unlockKeys, type ConnectFlags, type Reach } from './connect.ts';
import type { SignalSource, World } from './world.ts';

/** How long running steps may go on after Ctrl-C. */
const GRACE_MS = 10 * 60_000;

/** Ctrl-C once: no new steps. Twice, or when the grace time is over: running commands are given up. */
export class StopSignals {
  #abort = newAbort();
  #count = 0;
  #grace: NodeJS.Timeout | undefined;
  readonly #listener = (): void => {
    this.request();
  };
  readonly #onFirst: () => void;
  readonly #source: SignalSource;

  constructor(source: SignalSource, onFirst: () => void) {
    this.#source = source;
    this.#onFirst = onFirst;
    source.on('SIGINT', this.#listener);
    source.on('SIGTERM', this.#listener);
    source.on('SIGHUP', ignoreHangup);
  }

  /** What a signal does, asked for by other means. */
  request(): void {
    this.#count++;
    if (this.#count > 1) {
      this.#giveUp();
      return;
    }
    this.#grace = setTimeout(() => {
      this.#giveUp();
    }, GRACE_MS).unref();
    this.#onFirst();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get stopping(): boolean {
    return this.#count > 0;
  }

  /** Makes the next signal count as the first again. */
  rearm(): void {
    this.#count = 0;
    clearTimeout(this.#grace);
    if (this.#abort.signal.aborted) this.#abort = newAbort();
  }

  #giveUp(): void {
    // Whoever waits ends with it: it is an outcome of a run, not a fault of the program.
    this.#abort.abort(new TimeoutError('Interrupted.'));
  }

  dispose(): void {
    clearTimeout(this.#grace);
    this.#source.off('SIGINT', this.#listener);
    this.#source.off('SIGTERM', this.#listener);
  }
}

/** The run goes on without its terminal. The handler stays: the exit code counts until the process has ended. */
function ignoreHangup(): void {
  // Without a handler, the signal would end the process.
}

function newAbort(): AbortController {
  const abort = new AbortController();
  // Every running command listens.
  setMaxListeners(0, abort.signal);
  return abort;
}

interface EngineParts {
  settings: RunSettings;
  inventory: Inventory;
  log: Log;
  display: Display;
  /** How to reach the hosts. */
  flags: ConnectFlags;
  /** The operator is asked before each step. */
  stepwise?: boolean;
  /** Writes the first records of the journal. */
  begin?: (context: EngineContext) => Promise<void>;
  /** Where events go first; the display when left out. */
  emit?: EventSink;
}

/** Gives the work an engine with connections and signal handling, and puts all away again however it ends. */
export async function withEngine<T>(
  world: World,
  parts: EngineParts,
  work: (context: EngineContext, stop: StopSignals) => Promise<T>,
): Promise<T> {
  const stop = new StopSignals(world.signals, () => {
    parts.display.sink({
      type: 'message',
      level: 'warning',
      text: 'Interrupted: no new step begins. Once more gives up the running ones.',
    });
  });
  try {
    const reach = await createReach(world, parts.flags);
    await unlockKeys(world, reach, parts.inventory);
    return await connected(world, parts, { reach, stop }, (context) => work(context, stop));
  } finally {
    stop.dispose();
    await parts.display.finish();
    await parts.log.close();
  }
}

async function connected<T>(
  world: World,
  { settings, inventory, log, display, stepwise, begin, emit = display.sink }: EngineParts,
  { reach, stop }: { reach: Reach; stop: StopSignals },
  work: (context: EngineContext) => Promise<T>,
): Promise<T> {
  const connections = new HostConnections({ ...reach, sendHttp, run: settings.run });
  // A check keeps nothing on disk.
  const store = settings.check ? undefined : world.store;
  const services = {
    modules: world.modules,
    connections,
    clock: world.clock,
    emit,
    redactor: world.redactor,
    sendHttp,
    environment: world.env,
    factCache: world.factCache,
    decrypt: (text: string, file: string) => world.vault.content(text, file),
    keepOutput:
      store &&
      ((name: string) => new OutputFile(store.outputPath(settings.run, name), world.redactor)),
    pinFile: store && ((path: string) => store.pin(settings.run, path)),
    captures: store?.captures(settings.run, world.redactor),
    get signal() {
      return stop.signal;
    },
    ask:
      canAsk(world) && display.forPrograms !== true
        ? operator(world, { display, log, stop })
        : undefined,
    agree: stepwise === true ? stepByStep(world, display, stop) : undefined,
    isStopping: () => stop.stopping || context.locks.lost !== undefined,
    fault: faultHook(world.env['RUNNER_FAULT']),
    isSettledRun: (run: string) => world.store.isClosed(run),
    settings,
    inventory,
    log,
    sealer: world.redactor.createSealer(settings.run),
  };
  const context = withLocks(services);
  let outputs: WatchedOutputs | undefined;
  try {
    await begin?.(context);
    if (store) outputs = new WatchedOutputs(world, settings.run, log);
    return await work(context);
  } finally {
    context.locks.stop();
    await display.finish();
    await connections.close();
    await outputs?.end();
  }
}

/** Asks whoever started the run, one question after the other. Ctrl-C is what it is elsewhere. */
function operator(
  world: World,
  { display, log, stop }: Pick<EngineParts, 'display' | 'log'> & { stop: StopSignals },
): EngineContext['ask'] {
  const { redactor } = world;
  const answers = new Map<string, Promise<string | undefined>>();
  let before: Promise<unknown> = Promise.resolve();
  return (key, { text, hidden }) => {
    const whole = `${key} ${text}`;
    const answered = answers.get(whole);
    if (answered) return answered;
    const name = `pause_answer_${key}_${String(answers.size + 1)}`;
    const answer = before.then(async () => {
      const release = display.hold?.();
      try {
        const said = await (hidden ? askSecret : askText)(world, redactor.mask(text), stop.signal);
        if (said === undefined && canAsk(world)) stop.request();
        if (hidden && said !== undefined) {
          redactor.add(name, said, { late: true });
          log.write({ t: 'secret', name, env: name.toUpperCase() });
        }
        return said;
      } finally {
        release?.();
      }
    });
    answers.set(whole, answer);
    before = answer.catch(() => undefined);
    return answer;
  };
}

/** Asks before each step, until the answer is that the others need no question. Ctrl-C ends the run before the step. */
function stepByStep(world: World, display: Display, stop: StopSignals): EngineContext['agree'] {
  const { redactor } = world;
  let all = false;
  let before: Promise<unknown> = Promise.resolve();
  const ask = async ({ name, play }: StepInfo, hosts: readonly string[]): Promise<boolean> => {
    if (all) return true;
    if (stop.stopping) return false;
    const where = hosts.length <= 5 ? hosts.join(', ') : `${String(hosts.length)} hosts`;
    const release = display.hold?.();
    try {
      const answer = await askBeforeStep(world, redactor.mask(`${play}: ${name}, on ${where}?`));
      if (answer === undefined) stop.request();
      all = answer === 'all';
      return answer === 'all' || answer === 'yes';
    } finally {
      release?.();
    }
  };
  // Hosts that go their own ways come to their steps side by side.
  return (step, hosts) => {
    const answer = before.then(() => ask(step, hosts));
    before = answer.catch(() => undefined);
    return answer;
  };
}

/** `runner test --chaos` ends the process at POINT:STEP, as a power cut would. */
function faultHook(wanted: string | undefined): FaultHook | undefined {
  const [, point, step] = /^([a-z-]+):(.+)$/.exec(wanted ?? '') ?? [];
  if (point === undefined) return undefined;
  return (reached, id) => {
    if (reached === point && id === step) process.kill(process.pid, 'SIGKILL');
  };
}

/** The locks need the context that they are part of. Not a copy: its signal changes. */
function withLocks(services: Omit<EngineContext, 'locks'>): EngineContext {
  const context = services as EngineContext;
  context.locks = new HostLocks(context);
  return context;
}

/** Records and shows how a run ended, and gives its hosts back when it is over. Returns the exit code. */
export async function endRun(
  world: World,
  { log, settings, emit, locks }: EngineContext,
  ending: Ending,
  began: number,
): Promise<number> {
  const { outcome, exitCode, message, next } = ending;
  await log.append({ t: 'end', outcome, exitCode, message, at: new Date().toISOString() });
  if (isClosed(ending)) {
    log.releaseReserve();
    world.store.markClosed(settings.run);
    await locks.release();
  }
  emit({
    type: 'run-end',
    run: settings.run,
    outcome,
    message,
    next,
    durationMs: Date.now() - began,
  });
  tellEnding(world, settings.run, ending);
  return exitCode;
}

export interface Ending {
  outcome: Outcome;
  exitCode: number;
  message: string;
  next: string[];
}

/** How a check ended; it leaves nothing to do. */
export function concludeCheck(result: RunResult): Ending {
  const message = 'Nothing was changed.';
  switch (result.status) {
    case 'locked': // Only a run that changes something locks hosts.
    case 'done':
      return { outcome: 'done', exitCode: exitCodes.done, message, next: [] };
    case 'interrupted':
      return { outcome: 'interrupted', exitCode: exitCodes.interrupted, message, next: [] };
    case 'failed':
      return {
        outcome: 'preflight_failed',
        exitCode: exitCodes.preflight_failed,
        message: `The check failed: ${result.message}. ${message}`,
        next: [],
      };
  }
}

/** Plays forward, and does what follows: rolls back, asks, or says how to go on. */
export async function playForward(
  world: World,
  context: EngineContext,
  {
    playbook,
    recorded,
    stop,
    onInterrupt,
  }: {
    playbook: Playbook;
    recorded?: RecordedRun;
    stop: StopSignals;
    onInterrupt: RunFlags['onInterrupt'];
  },
): Promise<Ending> {
  const { run } = context.settings;
  const takeBack = async (hosts: string[]) => {
    const request = { reason: 'failed' as const, hosts, partial: true, skip: [] };
    const undo = await rollBack(context, request);
    return undo.complete;
  };
  for (let stood = recorded; ;) {
    const result = await runPlaybook(context, playbook, { recorded: stood, takeBack });
    if (result.status !== 'interrupted' || !result.changedAnything || context.locks.lost)
      return concludeRun(world, context, result, stop);
    const choice = onInterrupt ?? (canAsk(world) ? await askAfterInterrupt(world) : 'leave');
    if (choice === 'leave') return concludeRun(world, context, result, stop);
    stop.rearm();
    if (choice === 'rollback') {
      const request = { reason: 'interrupted' as const, hosts: undefined, skip: [] };
      const undo = await rollBack(context, request);
      return concludeRollback(run, undo, 'Interrupted.');
    }
    stood = context.log.state;
  }
}

/** What follows a forward run: nothing, a rollback, or the commands that go on from here. */
export async function concludeRun(
  world: World,
  context: EngineContext,
  result: RunResult,
  stop: StopSignals,
): Promise<Ending> {
  const { run } = context.settings;
  if (result.status === 'done') return concludeDone(run, result);
  if (result.status === 'locked') {
    const { message } = result;
    return { outcome: 'locked', exitCode: exitCodes.locked, message, next: [] };
  }
  if (result.status === 'interrupted') {
    return {
      outcome: 'interrupted',
      exitCode: exitCodes.interrupted,
      message: result.changedAnything
        ? 'Interrupted. What was changed stays until you say:'
        : 'Interrupted. Nothing was changed.',
      next: result.changedAnything ? recoveryCommands(run) : [],
    };
  }
  if (!result.changedAnything) {
    return {
      outcome: 'preflight_failed',
      exitCode: exitCodes.preflight_failed,
      message: `Failed before anything was changed. ${result.message}.`,
      next: [],
    };
  }
  const policy =
    context.settings.onFailure ?? rollbackPolicy(context.log.state).onFailure ?? 'auto';
  const rollback =
    policy === 'auto' ||
    (policy === 'ask' && canAsk(world) && (await confirm(world, 'Roll back what was done?')));
  if (!rollback) {
    return {
      outcome: 'left_in_place',
      exitCode: exitCodes.left_in_place,
      message: `Failed: ${result.message}. What was changed stays.`,
      next: recoveryCommands(run),
    };
  }
  stop.rearm();
  const undo = await rollBack(context, { reason: 'failed', hosts: undefined, skip: [] });
  return concludeRollback(run, undo, `Failed: ${result.message}.`);
}

export function concludeRollback(run: string, undo: RollbackResult, why: string): Ending {
  const { pastNoReturn, different } = undo;
  if (undo.interrupted) {
    return {
      outcome: 'interrupted',
      exitCode: exitCodes.interrupted,
      message: `${why} The rollback is paused: ${plural(undo.open.length, 'change')} not taken back yet.`,
      next: [`runner rollback ${run}   # goes on with it`],
    };
  }
  if (!undo.complete || different.length > 0) {
    const open = undo.open
      .map(({ unit, host, step }) => `unit ${String(unit)} "${step}" on ${host}`)
      .join(', ');
    const message =
      different.length > 0
        ? `${why} Rolled back, but not everything is as before: ${different.join(', ')}.`
        : `${why} Rollback is incomplete: ${open}.`;
    return {
      outcome: 'rollback_incomplete',
      exitCode: exitCodes.rollback_incomplete,
      message,
      next: [
        `runner rollback ${run}                       # goes on with what is not undone`,
        `runner rollback ${run} --skip UNIT           # gives one unit up`,
        `runner show ${run}`,
      ],
    };
  }
  if (pastNoReturn !== undefined) {
    return {
      outcome: 'past_no_return',
      exitCode: exitCodes.past_no_return,
      message: `${why} Failed past the point of no return "${pastNoReturn}"; what came after it is taken back.`,
      next: [`runner resume ${run}`],
    };
  }
  const proof = undo.verified ? 'verified: all is as before' : 'nothing to compare with';
  return {
    outcome: 'rolled_back',
    exitCode: exitCodes.rolled_back,
    message: `${why} Rolled back (${String(undo.undone)} undone), ${proof}.`,
    next: [],
  };
}

/** How a run ends that came to its end, with the hosts that failed and were tolerated. */
export function concludeDone(
  run: string,
  { left, incomplete }: Omit<Extract<RunResult, { status: 'done' }>, 'status'>,
): Ending {
  if (left.length === 0)
    return { outcome: 'done', exitCode: exitCodes.done, message: 'Done.', next: [] };
  const names = left.join(', ');
  if (incomplete) {
    return {
      outcome: 'done_in_part',
      exitCode: exitCodes.rollback_incomplete,
      message: `Done, but ${names} failed and could not be taken back.`,
      next: [...left.map((host) => `runner rollback ${run} --host ${host}`), `runner show ${run}`],
    };
  }
  return {
    outcome: 'done_in_part',
    exitCode: exitCodes.rolled_back,
    message: `Done, but for ${names}: failed and taken back.`,
    next: [],
  };
}

export function recoveryCommands(run: string): string[] {
  return [`runner resume ${run}     # goes on`, `runner rollback ${run}   # takes it back`];
}

/** Whether the run's hosts are as before or as wanted, so that the next run may begin. */
function isClosed({ outcome, next }: Ending): boolean {
  if (outcome === 'interrupted' || outcome === 'done_in_part') return next.length === 0;
  return outcome !== 'rollback_incomplete' && outcome !== 'past_no_return';
}
