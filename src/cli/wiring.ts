import { setMaxListeners } from 'node:events';
import type { EventSink, StepInfo } from '../core/events.ts';
import { TimeoutError } from '../core/errors.ts';
import type { FaultHook } from '../core/fault.ts';
import type { Inventory } from '../core/inventory.ts';
import type { Playbook } from '../language/document.ts';
import type { EngineContext, RunSettings } from '../engine/context.ts';
import { HostLocks } from '../engine/locks.ts';
import { rollBack } from '../engine/undo/rollback.ts';
import { runPlaybook } from '../engine/engine.ts';
import { transaction } from '../engine/transaction.ts';
import { ends } from '../journal/lifecycle.ts';
import type { Log } from '../journal/log.ts';
import { rollbackPolicy } from '../journal/recorded-run.ts';
import { OutputFile } from '../journal/output-file.ts';
import { HostConnections } from '../transport/connections.ts';
import { sendHttp } from '../transport/http.ts';
import { localDisk } from '../util/local-files.ts';
import {
  askAfterInterrupt,
  askBeforeStep,
  askSecret,
  askText,
  canAsk,
  confirm,
} from './operator.ts';
import { tellEnding, WatchedOutputs } from './lost-output.ts';
import type { RunFlags } from './flags/run.ts';
import { conclude, type Ending } from './sentences.ts';
import type { Display } from '../output/displays.ts';
import { createReach, unlockKeys, type ConnectFlags, type Reach } from './flags/connect.ts';
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
    files: localDisk,
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
  const { state, message, next } = ending;
  const { outcome, exitCode, isClosed } = ends[state];
  await log.append({ t: 'end', outcome, exitCode, message, at: new Date().toISOString() });
  if (isClosed) {
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

/** Plays forward, and does what follows: rolls back, asks, or says how to go on. */
export async function playForward(
  world: World,
  context: EngineContext,
  {
    playbook,
    stop,
    onInterrupt,
  }: {
    playbook: Playbook;
    stop: StopSignals;
    onInterrupt: RunFlags['onInterrupt'];
  },
): Promise<Ending> {
  const takeBack = async (hosts: string[]) => {
    const request = { reason: 'failed' as const, hosts, partial: true, skip: [] };
    const undo = await rollBack(context, request);
    return undo.complete;
  };
  const end = await transaction({
    forward: () => runPlaybook(context, playbook, takeBack),
    rollBack: (request) => rollBack(context, request),
    hasLostHosts: () => context.locks.lost !== undefined,
    rearm: () => {
      stop.rearm();
    },
    confirmRollback: async () => canAsk(world) && confirm(world, 'Roll back what was done?'),
    afterInterrupt: async () =>
      onInterrupt ?? (canAsk(world) ? await askAfterInterrupt(world) : 'leave'),
    onFailure: () =>
      context.settings.onFailure ?? rollbackPolicy(context.log.state).onFailure ?? 'auto',
  });
  return conclude(context.settings.run, end);
}
