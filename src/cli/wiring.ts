import type { FaultHook } from '../core/fault.ts';
import type { Inventory } from '../core/inventory.ts';
import type { Playbook } from '../language/document.ts';
import type { RunSettings } from '../engine/settings.ts';
import { withoutUnfinished } from '../engine/unfinished.ts';
import { HostLocks } from '../engine/locks.ts';
import { rollBack } from '../engine/undo/rollback.ts';
import { runPlaybook, type Engine } from '../engine/engine.ts';
import { transaction } from '../engine/transaction.ts';
import { ends } from '../journal/lifecycle.ts';
import type { Log } from '../journal/log.ts';
import { rollbackPolicy } from '../journal/recorded-run.ts';
import { OutputFile } from '../journal/output-file.ts';
import { HostConnections } from '../transport/connections.ts';
import { sendHttp } from '../transport/http.ts';
import { keptBy } from '../util/kept-file.ts';
import { localDisk } from '../util/local-files.ts';
import type { ConnectFlags } from './flags/connect.ts';
import type { RunFlags } from './flags/run.ts';
import { reportEnding, WatchedOutputs } from './lost-output.ts';
import { askAfterInterrupt, askOperator, canAsk, confirm, stepByStep } from './operator.ts';
import { createReach, unlockKeys, type Reach } from './reach.ts';
import { conclude, type Ending } from '../output/sentences.ts';
import { StopSignals } from './stop-signals.ts';
import type { Display } from '../output/display.ts';
import { follow } from './run/display.ts';
import type { World } from './world.ts';

interface EngineParts {
  settings: RunSettings;
  inventory: Inventory;
  log: Log;
  display: Display;
  /** How to connect to the hosts. */
  flags: ConnectFlags;
  /** Prompt before each step. */
  stepwise?: boolean;
  /** Writes the first records of the journal. */
  begin?: (engine: Engine) => Promise<void>;
}

/**
 * Runs a function with an engine that has connections and signal handling, and releases everything
 * afterwards.
 */
export async function withEngine<T>(
  world: World,
  parts: EngineParts,
  work: (engine: Engine, stop: StopSignals) => Promise<T>,
): Promise<T> {
  const stop = new StopSignals(world.signals, () => {
    const text = 'Interrupted: finishing running tasks. Press Ctrl-C again to abort them.';
    parts.log.signal({ t: 'message', level: 'warning', text });
  });
  follow(world, parts.log, parts.display);
  try {
    const reach = await createReach(world, parts.flags);
    await unlockKeys(world, reach, parts.inventory);
    return await connected(world, parts, { reach, stop }, (engine) => work(engine, stop));
  } finally {
    stop.dispose();
    await parts.display.finish();
    await parts.log.close();
  }
}

async function connected<T>(
  world: World,
  { settings, inventory, log, display, stepwise, begin }: EngineParts,
  { reach, stop }: { reach: Reach; stop: StopSignals },
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const { clock, random } = world;
  const lines = new HostConnections({ ...reach, sendHttp, run: settings.run });
  const isStopping = () => stop.stopping || locks.lost !== undefined;
  const connections = withoutUnfinished(lines, { clock, log, isStopping });
  // Check mode writes nothing to disk.
  const store = settings.check ? undefined : world.store;
  const isSettledRun = (run: string) => world.store.isClosed(run);
  const locks = new HostLocks({ connections, clock, log, inventory, settings, isSettledRun });
  const engine: Engine = {
    modules: world.modules,
    connections,
    clock,
    random,
    files: localDisk,
    redactor: world.redactor,
    sendHttp,
    environment: world.env,
    factCache: settings.check ? world.factCache.readOnly() : world.factCache,
    decrypt: (text: string, file: string) => world.vault.content(text, file),
    keepOutput:
      store &&
      ((name: string) => new OutputFile(store.outputPath(settings.run, name), world.redactor)),
    pinFile: store && ((path: string) => store.pin(settings.run, [path])[0]),
    copies: store?.copies(settings.run, world.redactor),
    keepFile: store && keptBy(world.redactor),
    get signal() {
      return stop.signal;
    },
    ask:
      canAsk(world) && display.forPrograms !== true
        ? askOperator(world, { display, log, stop })
        : undefined,
    agree: stepwise === true ? stepByStep(world, display, stop) : undefined,
    isStopping,
    fault: faultHook(world.env['RUNNER_FAULT']),
    isSettledRun,
    locks,
    settings,
    inventory,
    log,
    sealer: world.redactor.createSealer(settings.run, world.random),
  };
  let outputs: WatchedOutputs | undefined;
  try {
    await begin?.(engine);
    if (store) outputs = new WatchedOutputs(world, settings.run, log);
    return await work(engine);
  } finally {
    locks.stop();
    await display.finish();
    await connections.close();
    await outputs?.end();
  }
}

/** Kills the process at POINT:STEP, like a power cut, for `runner test --chaos`. */
function faultHook(wanted: string | undefined): FaultHook | undefined {
  const [, point, step] = /^([a-z-]+):(.+)$/.exec(wanted ?? '') ?? [];
  if (point === undefined) return undefined;
  return (reached, id) => {
    if (reached === point && id === step) process.kill(process.pid, 'SIGKILL');
  };
}

/**
 * Records and shows how a run ended, and unlocks its hosts if nothing remains to be done. Returns
 * the exit code.
 */
export async function endRun(
  world: World,
  { log, settings, locks }: Engine,
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
  log.signal({ t: 'over', next, durationMs: Date.now() - began });
  reportEnding(world, settings.run, ending);
  return exitCode;
}

/**
 * Plays a playbook and, after a failure or interrupt, rolls back or leaves the changes in place.
 */
export async function playForward(
  world: World,
  engine: Engine,
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
  const rollBackFailed = async (hosts: string[]) => {
    const request = { reason: 'failed' as const, hosts, partial: true, skip: [] };
    const undo = await rollBack(engine, request);
    return undo.complete;
  };
  const end = await transaction({
    forward: () => runPlaybook(engine, playbook, rollBackFailed),
    rollBack: (request) => rollBack(engine, request),
    hasLostHosts: () => engine.locks.lost !== undefined,
    rearm: () => {
      stop.rearm();
    },
    confirmRollback: async () => canAsk(world) && confirm(world, 'Roll back the changes?'),
    afterInterrupt: async () =>
      onInterrupt ?? (canAsk(world) ? await askAfterInterrupt(world) : 'leave'),
    onFailure: () =>
      engine.settings.onFailure ?? rollbackPolicy(engine.log.state).onFailure ?? 'auto',
  });
  return conclude(engine.settings.run, end);
}
