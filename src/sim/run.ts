import { setMaxListeners } from 'node:events';
import type { Inventory } from '../core/inventory.ts';
import type { ModuleRegistry } from '../core/module.ts';
import type { ControllerDisk, JournalFile, Random } from '../core/ports.ts';
import type { FaultHook } from '../core/fault.ts';
import { conclude, concludeRollback, type Ending } from '../output/sentences.ts';
import { HostLocks } from '../engine/locks.ts';
import { runPlaybook, type Engine } from '../engine/engine.ts';
import type { RunSettings } from '../engine/settings.ts';
import { withoutUnfinished } from '../engine/unfinished.ts';
import { transaction } from '../engine/transaction.ts';
import { rollBack } from '../engine/undo/rollback.ts';
import { ends, type Move } from '../journal/lifecycle.ts';
import { Log, type LogReader } from '../journal/log.ts';
import { rollbackPolicy } from '../journal/recorded-run.ts';
import { journalFormat, type JournalRecord } from '../journal/records.ts';
import type { Playbook } from '../language/document.ts';
import type { Redactor } from '../util/redact.ts';
import type { ControllerProcess } from './controller.ts';
import type { ModelNetwork } from './hosts.ts';

/**
 * Connects a simulated process to the engine, as `cli/wiring.ts` does for a real one. No other file
 * of src/sim uses the engine.
 */

export interface Wiring {
  process: ControllerProcess;
  network: ModelNetwork;
  modules: ModuleRegistry;
  random: Random;
  playbook: Playbook;
  inventory: Inventory;
  file: JournalFile;
  files: ControllerDisk;
  /** Whether the operator has interrupted the run. */
  isStopping: () => boolean;
  /** Reads the log of the run. */
  watch: LogReader;
  settings: RunSettings;
  redactor: Redactor;
  sealer: Engine['sealer'];
  sendHttp: Engine['sendHttp'];
  /** Can kill the process at points of a step. */
  fault: FaultHook | undefined;
}

export const RUN = 'simulated';

/** Plays the playbook as `runner play` does. */
export async function play(wiring: Wiring): Promise<Ending> {
  const log = Log.create(wiring.file, wiring.redactor);
  const engine = engineOf(wiring, log);
  await log.append(header(wiring));
  return forward(wiring, engine);
}

/** Continues from the journal, as `runner resume` and `runner rollback` do. */
export async function recover(wiring: Wiring, move: Move): Promise<Ending> {
  const log = Log.reopen(wiring.file, wiring.redactor);
  const engine = engineOf(wiring, log);
  const { end } = log.state;
  await engine.locks.take(log.state.locks);
  await log.append({ t: 'resume', pid: 1, bootId: 'simulated' });
  if (move === 'resume') return forward(wiring, engine);
  const reason = end === undefined ? 'crash' : 'request';
  const undo = await rollBack(engine, { reason, hosts: undefined, skip: [] });
  return finish(engine, concludeRollback(RUN, undo, 'Rollback on request.'));
}

async function forward({ playbook }: Wiring, engine: Engine): Promise<Ending> {
  const rollBackHosts = async (hosts: string[]) => {
    const request = { reason: 'failed' as const, hosts, partial: true, skip: [] };
    return (await rollBack(engine, request)).complete;
  };
  const end = await transaction({
    forward: () => runPlaybook(engine, playbook, rollBackHosts),
    rollBack: (request) => rollBack(engine, request),
    hasLostHosts: () => engine.locks.lost !== undefined,
    rearm: () => undefined,
    confirmRollback: () => Promise.resolve(false),
    afterInterrupt: () => Promise.resolve('leave' as const),
    onFailure: () => rollbackPolicy(engine.log.state).onFailure ?? 'auto',
  });
  return finish(engine, conclude(RUN, end));
}

async function finish({ log, locks, clock }: Engine, ending: Ending): Promise<Ending> {
  const { outcome, exitCode, isClosed } = ends[ending.state];
  const at = new Date(clock.now()).toISOString();
  await log.append({ t: 'end', outcome, exitCode, message: ending.message, at });
  if (isClosed) await locks.release();
  locks.stop();
  await log.close();
  return ending;
}

function engineOf(wiring: Wiring, log: Log): Engine {
  log.subscribe(wiring.watch, (error) => {
    throw error;
  });
  const { process, network, modules, random, inventory, files, isStopping, settings, redactor } =
    wiring;
  const clock = process.clock();
  const lines = network.connections(process, RUN);
  const parts = {
    inventory,
    log,
    settings,
    isSettledRun: () => false,
    connections: withoutUnfinished(lines, { clock, log, isStopping }),
    clock,
  };
  return {
    ...parts,
    modules,
    random,
    files,
    isStopping,
    locks: new HostLocks(parts),
    redactor,
    environment: {},
    sendHttp: wiring.sendHttp,
    fault: wiring.fault,
    decrypt: () => {
      throw new Error('Nothing is encrypted here.');
    },
    signal: quietSignal(),
    sealer: wiring.sealer,
  };
}

/** A signal without a limit of listeners: all hosts listen to it at the same time. */
function quietSignal(): AbortSignal {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  return signal;
}

export const plainSettings: RunSettings = {
  run: RUN,
  check: false,
  diff: false,
  tags: [],
  skipTags: [],
  limit: undefined,
  leftOut: [],
  forks: 50,
  owner: 'simulation',
  startedAt: new Date(0),
  takeOver: [],
  onFailure: undefined,
  becomePassword: undefined,
  variables: {},
  inputDefaults: {},
  accepted: [],
  rollbackBudgetSeconds: undefined,
  failAt: undefined,
  failsBeforeNoReturn: false,
};

function header({ inventory, playbook, settings }: Wiring): JournalRecord {
  return {
    t: 'run',
    format: journalFormat,
    runner: 'simulated',
    run: RUN,
    playbook: playbook.path,
    name: playbook.name,
    changes: [],
    check: false,
    startedAt: new Date(0).toISOString(),
    pid: 1,
    bootId: 'simulated',
    options: { forks: settings.forks, accepted: settings.accepted },
    inputs: settings.variables,
    inputDefaults: settings.inputDefaults,
    secrets: [],
    files: [],
    vault: [],
    hosts: [...inventory.hosts.values()].map(({ address }) => address),
    inventory: { file: '', vars: {}, groups: Object.fromEntries(inventory.groups) },
  };
}
