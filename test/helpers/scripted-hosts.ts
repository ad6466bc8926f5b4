import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Action } from '../../src/core/action.ts';
import { ConnectError, PlaybookError } from '../../src/core/errors.ts';
import { eventReader, type RunEvent } from '../../src/output/events.ts';
import type { CommandOutput, ReadCommand } from '../../src/core/fact.ts';
import type {
  ChangeAnswer,
  Connections,
  ControlAnswers,
  HostSession,
} from '../../src/core/host.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { RunSettings } from '../../src/engine/settings.ts';
import { HostLocks } from '../../src/engine/locks.ts';
import { rollBack } from '../../src/engine/undo/rollback.ts';
import { runPlaybook } from '../../src/engine/engine.ts';
import type { Forward } from '../../src/core/endings.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { readJournal } from '../../src/journal/journal-file.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import { builtinModules } from '../../src/cli/builtin-modules.ts';
import { checkPlaybook } from '../../src/playbook/check/check.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { localDisk, localFiles } from '../../src/util/local-files.ts';
import { systemClock } from '../../src/util/time.ts';
import { DiskFile } from '../../src/journal/disk-file.ts';
import { Log } from '../../src/journal/log.ts';
import { systemRandom } from '../../src/util/random.ts';
import { plainSettings } from '../../src/sim/run.ts';
import { Redactor } from '../../src/util/redact.ts';
import { runRecord } from './records.ts';
import type { Recording } from './trace.ts';

/**
 * Hosts in this process whose commands control their behavior:
 * `ok`, `say WORDS`, `fail`, `fail-on HOST…`, `flaky N` (fails N times), `away-on HOST…` (becomes
 * unreachable),
 * `refused-on HOST…` (the user is refused), `lose` and `lose-on HOST…` (the connection is lost, the
 * host still works),
 * `signal NAME` and `wait NAME` (answers after a host has signalled), `rc N`.
 * Written files exist afterwards.
 */
class ScriptedHosts implements Connections {
  readonly away: Set<string>;
  readonly #files = new Map<string, Map<string, string>>();
  readonly #calls = new Map<string, number>();
  readonly #signals = new Map<string, { promise: Promise<void>; resolve: () => void }>();
  /** Running commands, by host, and their maximum so far. */
  #running = 0;
  most = 0;
  readonly #asked: Script['asked'];
  sessions = 0;
  /** Longest time limit of a query, in milliseconds. */
  patience = 0;

  constructor(away: readonly string[], asked: Script['asked']) {
    this.away = new Set(away);
    this.#asked = asked;
  }

  session({ name }: { name: string }): Promise<HostSession> {
    this.sessions++;
    return this.away.has(name)
      ? Promise.reject(unreachable(name))
      : Promise.resolve(this.#open(name));
  }

  reset = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve();

  #open(host: string): HostSession {
    return {
      exchange: async ({ reads = [], change }, { timeoutMs }) => {
        if (reads.length > 0) this.patience = Math.max(this.patience, timeoutMs);
        return {
          // Locks are free, and no step is recorded.
          control: {
            lock: 'held',
            renew: 'held',
            fence: 'clear',
            unit: { state: 'never_started' },
            ...this.#asked?.(),
          },
          reads: reads.map((command) => this.#look(host, command)),
          ...(change ? { change: await this.#perform(host, change.actions) } : {}),
        };
      },
    };
  }

  #look(host: string, { script, paths = [] }: ReadCommand): CommandOutput {
    const [path] = paths;
    if (script !== 'rn_file_state "$1"' || typeof path !== 'string')
      return { code: 0, stdout: '', stderr: '' };
    const text = this.#filesOf(host).get(path);
    const sum = createHash('sha256')
      .update(text ?? '')
      .digest('hex');
    const stdout =
      text === undefined
        ? 'absent\n'
        : `file|644|0|0|root|root|${String(text.length)}|0\n${sum}  ${path}\n`;
    return { code: 0, stdout, stderr: '' };
  }

  async #perform(host: string, actions: readonly Action[]): Promise<ChangeAnswer> {
    const outputs: CommandOutput[] = [];
    this.#running++;
    this.most = Math.max(this.most, this.#running);
    try {
      for (const action of actions) {
        const output = await this.#act(host, action);
        outputs.push(output);
        if (output.code !== 0) break;
      }
    } finally {
      this.#running--;
    }
    return { outputs };
  }

  async #act(host: string, action: Action): Promise<CommandOutput> {
    // Lets other hosts proceed, as during the work of a real host.
    await new Promise((resolve) => setImmediate(resolve));
    const answer = (code: number, stdout = '') => ({
      code,
      stdout: stdout === '' ? '' : `${stdout}\n`,
      stderr: code === 0 ? '' : 'it said no\n',
    });
    if (action.kind === 'write') this.#filesOf(host).set(action.path, action.content);
    if (action.kind !== 'exec') return answer(0);
    const [word = '', ...words] = action.argv;
    switch (word) {
      case 'ok':
        return answer(0);
      case 'env':
        return answer(0, words.map((name) => `${name}=${action.env?.[name] ?? ''}`).join(' '));
      case 'say':
        return answer(0, words.join(' '));
      case 'rc':
        return answer(Number(words[0]), 'before');
      case 'fail':
        return answer(1);
      case 'fail-on':
        return answer(words.includes(host) ? 1 : 0);
      case 'flaky': {
        const key = `${host} ${action.argv.join(' ')}`;
        const calls = (this.#calls.get(key) ?? 0) + 1;
        this.#calls.set(key, calls);
        return answer(calls <= Number(words[0]) ? 1 : 0);
      }
      case 'away-on':
        if (!words.includes(host)) return answer(0);
        this.away.add(host);
        throw unreachable(host);
      case 'lose-on':
        if (!words.includes(host)) return answer(0);
        throw unreachable(host);
      case 'lose':
        throw unreachable(host);
      case 'refused-on':
        if (!words.includes(host)) return answer(0);
        throw new ConnectError('The password is wrong.', {
          ...{ host, stage: 'become', retryable: false },
        });
      case 'signal':
        this.#signal(words[0] ?? '').resolve();
        return answer(0);
      case 'wait':
        await this.#signal(words[0] ?? '').promise;
        return answer(0);
      default:
        throw new Error(`Scripted hosts do not support "${action.argv.join(' ')}".`);
    }
  }

  #signal(name: string) {
    let signal = this.#signals.get(name);
    if (!signal) {
      let resolve: () => void = () => undefined;
      const promise = new Promise<void>((done) => (resolve = done));
      signal = { promise, resolve };
      this.#signals.set(name, signal);
    }
    return signal;
  }

  #filesOf(host: string): Map<string, string> {
    const files = this.#files.get(host) ?? new Map<string, string>();
    this.#files.set(host, files);
    return files;
  }
}

function unreachable(host: string): ConnectError {
  return new ConnectError(`"${host}" does not answer.`, {
    host,
    stage: 'connect',
    retryable: true,
  });
}

export interface Performance {
  /**
   * A line for each step in the order of their start: `Name: h1 ok, h2 failed`. Items are in
   * brackets.
   */
  trace: string[];
  events: RunEvent[];
  result: Forward | undefined;
  /** Problems from the loader or the checks before the run. */
  problems: string[];
  /** Maximum number of commands that ran at the same time. */
  most: number;
  sessions: number;
  /** Longest time that any look was given, in milliseconds. */
  patience: number;
  /** Events and records of the run and of the rollback that followed it, for `printTrace`. */
  recording: Recording;
}

export interface Script {
  /** Text of the playbook, or of the tasks of one play on all hosts. */
  text: string;
  /** More files in its directory, by name. */
  files?: Record<string, string> | undefined;
  inventory?: string | undefined;
  /** Unreachable hosts. */
  away?: string[] | undefined;
  settings?: Partial<RunSettings> | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** Answers of hosts to requests for locks and records. */
  asked?: (() => ControlAnswers) | undefined;
  clock?: Clock | undefined;
  /** By name. */
  secrets?: Record<string, string> | undefined;
  /** The directory has a journal, and the run is resumed. */
  resumes?: boolean | undefined;
}

const hosts = `all:
  children:
    web: { hosts: { h1: {}, h2: {} } }
    db: { hosts: { h3: {} } }
`;

/** Loads, checks and plays a playbook on scripted hosts: h1 and h2 in the group web, h3 in db. */
export async function perform(script: Script): Promise<Performance> {
  const directory = mkdtempSync(join(tmpdir(), 'runner-scripted-'));
  try {
    return await performIn(directory, script);
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    return {
      trace: [],
      events: [],
      result: undefined,
      problems: messages(error),
      most: 0,
      sessions: 0,
      patience: 0,
      recording: { events: [], records: [], playbook: script.text, placeholders: new Map() },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function messages({ problems }: PlaybookError): string[] {
  return problems.map(({ message, hint }) => (hint === undefined ? message : `${message} ${hint}`));
}

/** The same in a given directory, which keeps the journal. */
export async function performIn(directory: string, script: Script): Promise<Performance> {
  const { text, files = {}, away = [], settings = {}, env = {} } = script;
  const isPlaybook =
    /^\s*- (name: .*\n\s+)?(hosts|import_playbook|\{[^}]*hosts):? /.test(text) ||
    /^(inputs|rollback|time_limit|fingerprint|#)/.test(text.trimStart());
  const play = isPlaybook
    ? text
    : `- name: Play\n  hosts: all\n  tasks:\n${text.trim().replaceAll(/^/gm, '    ')}\n`;
  const all = { 'inventory.yml': script.inventory ?? hosts, ...files, 'playbook.yml': play };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  const modules = builtinModules;
  const playbook = loadPlaybook(join(directory, 'playbook.yml'), {
    modules,
    files: localFiles,
    rolePaths: [],
    playbookPaths: [],
  });
  const inventory = loadInventory(join(directory, 'inventory.yml'), {
    varsDirectories: [directory],
  });
  const variables: JsonObject = settings.variables ?? {};
  const problems = checkPlaybook(playbook, modules, {
    files: localFiles,
    outside: [
      ...Object.keys(variables),
      ...[...inventory.hosts.values()].flatMap(({ vars }) => Object.keys(vars)),
    ],
    requireUndo: false,
  });
  if (problems.length > 0) throw new PlaybookError(problems);
  const events: RunEvent[] = [];
  const faults: unknown[] = [];
  const connections = new ScriptedHosts(away, script.asked);
  const redactor = new Redactor();
  for (const [name, secret] of Object.entries(script.secrets ?? {})) redactor.add(name, secret);
  const checks = settings.check === true;
  const path = join(directory, 'journal');
  const log = checks
    ? Log.inMemory(redactor)
    : script.resumes
      ? Log.reopen(DiskFile.open(path), redactor)
      : Log.create(DiskFile.create(path), redactor);
  const wanted = { ...defaults, ...settings };
  const parts = {
    connections,
    clock: script.clock ?? systemClock,
    inventory,
    log,
    settings: wanted,
  };
  const isSettledRun = () => false;
  const engine: Engine = {
    ...parts,
    locks: new HostLocks({ ...parts, isSettledRun }),
    modules,
    random: systemRandom,
    files: localDisk,
    redactor,
    environment: env,
    sendHttp: () => Promise.reject(new Error('HTTP requests are not supported here.')),
    decrypt: () => {
      throw new Error('Nothing is encrypted here.');
    },
    signal: new AbortController().signal,
    isSettledRun,
    isStopping: () => false,
    sealer: redactor.createSealer('scripted', systemRandom),
  };
  if (!script.resumes)
    await log.append({
      ...runRecord({ run: 'scripted' }),
      hosts: [...inventory.hosts.values()].map(({ address }) => address),
    } as JournalRecord);
  const collect = eventReader((event) => events.push(event));
  log.subscribe(collect, (error) => faults.push(error));
  const rollBackHosts = async (failed?: string[]): Promise<boolean> => {
    const undo = await rollBack(engine, {
      reason: 'failed',
      hosts: failed,
      partial: failed !== undefined,
      skip: [],
    });
    return undo.complete;
  };
  try {
    const result = await runPlaybook(engine, playbook, rollBackHosts);
    const { most, sessions, patience } = connections;
    const seen = { most, sessions, patience, events: [...events], trace: traceOf(events) };
    if (!checks && result.status === 'failed' && result.changedAnything) await rollBackHosts();
    const placeholders = new Map([[directory, '<dir>']]);
    // The header is created here, so it tests nothing of runner.
    await log.sync();
    if (faults.length > 0) throw faults[0];
    const records = checks ? [] : readJournal(path).records;
    const written = records.filter(({ t }) => t !== 'run');
    const recording = { events, records: written, playbook: play, placeholders };
    return { ...seen, result, problems: [], recording };
  } finally {
    engine.locks.stop();
    await log.close();
  }
}

const defaults: RunSettings = {
  ...plainSettings,
  run: 'scripted',
  owner: 'test@test',
  // An unreachable host stays unreachable.
  rollbackBudgetSeconds: 0,
};

function traceOf(events: readonly RunEvent[]): string[] {
  const steps = new Map<number, { name: string; ends: string[] }>();
  for (const event of events) {
    if (event.type === 'step-start')
      steps.set(event.step.number, { name: event.step.name, ends: [] });
    if (event.type !== 'unit-end') continue;
    const item = event.item === undefined ? '' : `[${event.item}]`;
    const ignored = event.ignored === true ? ' ignored' : '';
    const step = steps.get(event.step.number) ?? { name: event.step.name, ends: [] };
    step.ends.push(`${event.host}${item} ${event.state}${ignored}`);
    steps.set(event.step.number, step);
  }
  return [...steps.values()].map(({ name, ends }) => `${name}: ${joined(ends)}`);
}

/** Groups hosts by state: `h1 h2 ok, h3 failed`. */
function joined(ends: readonly string[]): string {
  const byState = new Map<string, string[]>();
  for (const end of ends.toSorted()) {
    const [host = '', ...state] = end.split(' ');
    const key = state.join(' ');
    byState.set(key, [...(byState.get(key) ?? []), host]);
  }
  return [...byState].map(([state, names]) => `${names.join(' ')} ${state}`).join(', ');
}
