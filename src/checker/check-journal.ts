import { createHash } from 'node:crypto';

/**
 * Checks a journal against the rules of rollback. It shares no code with the engine, so that a bug in the engine cannot hide itself.
 *
 * It checks the order of the rollback (a reverse linear extension of the happened-before relation), that only changes of the run are undone, that nothing before a commit point is undone, that a rollback works on no more hosts at a time than the run did, that every intent precedes its effect, and that a handler runs again after the undo of a file that it has read.
 * @param text the journal file; an incomplete last line is ignored
 * @param started numbers of the units that hosts have a record of, if known
 * @returns one sentence for each violation
 */
export function checkJournal(text: string, started: readonly number[] = []): string[] {
  const problems: string[] = [];
  const checker = new Checker(problems);
  for (const [index, record] of parse(text, problems).entries()) checker.see(record, index + 1);
  checker.hostRecords(started);
  return problems;
}

type Fields = Record<string, unknown>;

interface Handler {
  id: string;
  name: string;
}

interface SeenUnit {
  number: number;
  step: number;
  host: string;
  target: string;
  shared: string | undefined;
  /** Position in a loop. */
  index: unknown;
  /** Body of the undo: auto, rerun, declared, none, uncovered, irreversible. */
  body: string;
  on: string;
  /** A failed undo of it does not block other undos. */
  lenient: boolean;
  /** Handlers that read its changes. */
  notifies: Handler[];
  /** The handler, if the unit is a run of one. */
  handler: Handler | undefined;
  block: { until: number; replace: boolean } | undefined;
  state: string;
  undo: string | undefined;
  undoBegun: boolean;
  /** Line numbers of its intent and of the last intent of its undo. */
  beganAt: number;
  undoBeganAt: number;
  /** Line number of the record of its undo. */
  undoneAt: number;
  /** The operator, or its condition, excludes it from the rollback. */
  unwanted: boolean;
}

const effects = ['changed', 'failed', 'unknown'];

class Checker {
  readonly #problems: string[];
  readonly #units = new Map<number, SeenUnit>();
  readonly #parked = new Set<string>();
  #stepHosts = new Map<number, Set<string>>();
  #forks = Infinity;
  #commit = 0;
  /** Units before a commit point that the commit point does not make final: of hosts that are rolled back alone and are not finished yet. */
  readonly #left = new Set<number>();
  readonly #alone = new Set<string>();
  /** Units whose undo is running. */
  #moving: SeenUnit[] = [];
  /** Hosts of the current rollback; undefined for all. */
  #only: string[] | undefined;
  #rollingBack = false;

  constructor(problems: string[]) {
    this.#problems = problems;
  }

  see(record: Fields, line: number): void {
    const unit = this.#units.get(record['unit'] as number);
    switch (record['t']) {
      case 'run':
        this.#forks = Number((record['options'] as Fields)['forks'] ?? Infinity);
        break;
      case 'intent':
        this.#intent(record, line);
        break;
      case 'result':
        this.#result(record, unit, line);
        break;
      case 'resolved':
        if (unit) unit.state = String(record['state']);
        break;
      case 'block-end':
        if (unit?.block) unit.block.until = Number(record['upTo']);
        break;
      case 'commit':
        this.#pass(record);
        break;
      case 'rollback':
        this.#rollingBack = true;
        this.#moving = [];
        this.#parked.clear();
        this.#only = record['hosts'] as string[] | undefined;
        if (record['partial'] === true) for (const host of this.#only ?? []) this.#alone.add(host);
        break;
      case 'resume':
        this.#moving = [];
        this.#rollingBack = false;
        break;
      case 'parked':
        this.#parked.add(String(record['host']));
        this.#moving = this.#moving.filter((one) => !touches(one, String(record['host'])));
        break;
      case 'unparked':
        this.#parked.delete(String(record['host']));
        break;
      case 'undo-intent':
        if (unit) this.#undoIntent(unit, line);
        else this.#say(line, `undo of unit ${String(record['unit'])}, which has no intent`);
        break;
      case 'undo-result':
        this.#undoResult(record, unit, line);
        break;
      case 'end':
        if (isComplete(record)) this.#checkHandlers(line);
        break;
    }
  }

  /** Every unit that ran on a host has an earlier intent. */
  hostRecords(started: readonly number[]): void {
    for (const number of started) {
      if (!this.#units.has(number))
        this.#problems.push(`Unit ${String(number)} ran on a host and has no intent.`);
    }
  }

  #intent(record: Fields, line: number): void {
    const unit = unitOf(record, line);
    this.#units.set(unit.number, unit);
    const hosts = this.#stepHosts.get(unit.step) ?? new Set();
    this.#stepHosts.set(unit.step, hosts.add(unit.host));
  }

  #pass({ unit: last, irreversible }: Fields): void {
    const open = [...this.#units.values()].filter(
      ({ number, host, shared }) =>
        this.#alone.has(host) && shared !== 'run_once' && this.#isWithin(number),
    );
    for (const { number } of irreversible === true ? [] : open) this.#left.add(number);
    this.#commit = Number(last);
  }

  /** Whether no commit point has made the unit final. */
  #isWithin(number: number): boolean {
    return number > this.#commit || this.#left.has(number);
  }

  #result(record: Fields, unit: SeenUnit | undefined, line: number): void {
    const state = String(record['state']);
    if (unit) unit.state = state === 'unreachable' ? 'unknown' : state;
    else if (state === 'changed')
      this.#say(line, `unit ${String(record['unit'])} changed something without an intent`);
  }

  #undoIntent(unit: SeenUnit, line: number): void {
    const name = `undo of unit ${String(unit.number)} on ${unit.host}`;
    if (!this.#rollingBack) this.#say(line, `${name} outside a rollback`);
    if (!this.#isWithin(unit.number)) this.#say(line, `${name}, which is before a commit point`);
    if (!unit.block && !this.#needsUndo(unit))
      this.#say(line, `${name}, whose state is ${unit.state}`);
    if (this.#only && !this.#only.includes(unit.host))
      this.#say(line, `${name}, which was not requested`);
    if (isRerun(unit)) {
      const open = [...this.#units.values()]
        .filter(({ number }) => !this.#isSettled(number) && this.#isAskedFor(number))
        .filter((change) => this.#readers(change).find((run) => isSameHandler(run, unit)) === unit);
      if (open.length > 0) {
        const numbers = open.map(({ number }) => number).join(', ');
        this.#say(line, `${name}: what notified it is not undone (${numbers})`);
      }
    } else {
      for (const later of this.#units.values()) {
        if (!happensAfter(later, unit) || !this.#stands(later)) continue;
        if (this.#isExcused(later, unit)) continue;
        this.#say(line, `${name} before that of unit ${String(later.number)} on ${later.host}`);
      }
    }
    unit.undoBegun = true;
    unit.undoBeganAt = line;
    this.#moving.push(unit);
    const hosts = new Set(this.#moving.map(({ host }) => host));
    const steps = new Set(this.#moving.map(({ step }) => step));
    const most = Math.min(this.#forks, this.#stepHosts.get(unit.step)?.size ?? 0);
    if (steps.size > 1) this.#say(line, `${name} while another step is being undone`);
    if (hosts.size > most)
      this.#say(line, `${name}: ${String(hosts.size)} hosts at a time, ${String(most)} in the run`);
  }

  #undoResult(record: Fields, unit: SeenUnit | undefined, line: number): void {
    if (!unit) return;
    unit.undo = String(record['state']);
    if (unit.undo === 'undone' && !unit.undoBegun)
      this.#say(line, `unit ${String(unit.number)} is undone without an intent to`);
    this.#moving = this.#moving.filter((one) => one !== unit);
    if (unit.undo === 'undone') {
      unit.undoBegun = false;
      unit.undoneAt = line;
    }
    const why = record['why'] as Fields | undefined;
    unit.unwanted =
      unit.undo === 'undo-skipped' && ['requested', 'unmet'].includes(String(why?.['kind']));
  }

  /** Handler runs that have read a change, in order: of one of its handlers, otherwise of one with that name. */
  #readers(change: SeenUnit): SeenUnit[] {
    const { notifies, state, block } = change;
    if (block || !effects.includes(state)) return [];
    const later = [...this.#units.values()].filter(
      (run) => isRerun(run) && findsIt(run, change) && this.#needsUndo(run),
    );
    return notifies.flatMap(({ id, name }) => {
      const own = later.filter(({ handler }) => handler?.id === id);
      return own.length > 0 ? own : later.filter(({ handler }) => handler?.name === name);
    });
  }

  /** A service must run with the file that was restored last. */
  #checkHandlers(line: number): void {
    for (const change of this.#units.values()) {
      if (change.undo !== 'undone') continue;
      const readers = this.#readers(change);
      for (const reader of readers) {
        const same = readers.filter((run) => isSameHandler(run, reader));
        if (same.some(({ undoneAt, unwanted }) => unwanted || undoneAt > change.undoneAt)) continue;
        const what = `unit ${String(change.number)} was undone on ${change.host}`;
        this.#say(line, `${what}, and handler "${String(reader.handler?.name)}" did not run after`);
      }
    }
  }

  #needsUndo({ state, on, body }: SeenUnit): boolean {
    if (body === 'none') return false;
    if (on === '"always"') return state !== 'planned';
    return effects.includes(state) && on.includes(`"${state}"`);
  }

  #isSettled(number: number): boolean {
    const unit = this.#units.get(number);
    return (
      !unit || unit.undo === 'undone' || unit.undo === 'undo-skipped' || !this.#needsUndo(unit)
    );
  }

  /** Whether the rollback includes this unit. */
  #isAskedFor(number: number): boolean {
    const unit = this.#units.get(number);
    if (!unit || !this.#isWithin(number)) return false;
    // A rollback of some hosts does not undo steps that ran once for all hosts.
    return !this.#only || (this.#only.includes(unit.host) && unit.shared !== 'run_once');
  }

  /** Whether a later unit that is not undone blocks the undo of an earlier one. */
  #stands(later: SeenUnit): boolean {
    if (later.block || isRerun(later) || this.#isSettled(later.number)) return false;
    if (!this.#isAskedFor(later.number)) return false;
    return !(later.undo === 'undo-failed' && later.lenient);
  }

  /** A blocked or unreachable host blocks its own units and shared ones, but no other host. */
  #isExcused(later: SeenUnit, earlier: SeenUnit): boolean {
    if (earlier.shared !== undefined) return false;
    if ([earlier.host, earlier.target].some((host) => touches(later, host))) return false;
    return (
      (later.shared !== undefined && this.#parked.size > 0) ||
      later.undo === 'undo-failed' ||
      later.undo === 'undo-blocked' ||
      touchesAny(later, this.#waitingBefore(later))
    );
  }

  /** Hosts that wait when a unit can be undone: unreachable hosts, and hosts whose later units wait for them. */
  #waitingBefore({ number }: SeenUnit): Set<string> {
    const waiting = new Set(this.#parked);
    const later = [...this.#units.values()].filter((one) => one.number > number);
    for (const unit of later.sort((a, b) => b.number - a.number)) {
      const waits =
        touchesAny(unit, waiting) || (unit.shared !== undefined && this.#parked.size > 0);
      if (waits && this.#stands(unit)) waiting.add(unit.host).add(unit.target);
    }
    return waiting;
  }

  #say(line: number, what: string): void {
    this.#problems.push(`Line ${String(line)}: ${what}.`);
  }
}

/** A unit that has just started. */
function unitOf(record: Fields, line: number): SeenUnit {
  const undo = record['undo'] as Fields;
  const body = undo['body'] as Fields;
  return {
    number: Number(record['unit']),
    step: Number(record['step']),
    host: String(record['host']),
    target: String(record['target']),
    shared: record['shared'] as string | undefined,
    body: String(body['kind']),
    on: JSON.stringify(undo['on']),
    lenient: undo['error'] === 'continue' || body['kind'] === 'uncovered',
    index: record['index'],
    notifies: (record['notifies'] ?? []) as Handler[],
    handler: record['handler'] as Handler | undefined,
    block: record['block'] as SeenUnit['block'],
    state: record['block'] === undefined ? 'unknown' : 'block',
    undo: undefined,
    undoBegun: false,
    beganAt: line,
    undoBeganAt: Infinity,
    undoneAt: 0,
    unwanted: false,
  };
}

/** A handler that runs again is not bound to the order. */
function isRerun({ body }: SeenUnit): boolean {
  return body === 'rerun';
}

/** Whether a unit ran after a change and before its undo. A resumed run can have units after the undo. */
function findsIt(run: SeenUnit, { host, step, undoBeganAt }: SeenUnit): boolean {
  return run.host === host && run.step > step && run.beganAt < undoBeganAt;
}

function isSameHandler(a: SeenUnit, b: SeenUnit): boolean {
  return a.handler?.id === b.handler?.id && a.index === b.index;
}

/** Whether a run ended with everything undone that had to be. */
function isComplete({ outcome, exitCode }: Fields): boolean {
  if (outcome === 'rolled_back' || outcome === 'past_no_return') return true;
  return outcome === 'done_in_part' && exitCode === 3;
}

function touchesAny({ host, target }: SeenUnit, names: ReadonlySet<string>): boolean {
  return names.has(host) || names.has(target);
}

function touches({ host, target }: SeenUnit, name: string): boolean {
  return host === name || target === name;
}

/** The linear strategy orders steps for all hosts; within a step, each host has its own order. */
function happensAfter(later: SeenUnit, earlier: SeenUnit): boolean {
  if (later.step !== earlier.step) return later.step > earlier.step;
  return later.host === earlier.host && later.number > earlier.number;
}

function parse(text: string, problems: string[]): Fields[] {
  const lines = text.split('\n');
  lines.pop();
  const records: Fields[] = [];
  for (const [index, line] of lines.entries()) {
    const [, body = '', sequence, json = '', sum] =
      /^((\d+) (.*)) ([0-9a-f]{12})$/.exec(line) ?? [];
    const wanted = createHash('sha256').update(body).digest('hex').slice(0, 12);
    if (sum !== wanted || Number(sequence) !== index + 1) {
      // The last line can be incomplete.
      if (index < lines.length - 1) problems.push(`Line ${String(index + 1)} is damaged.`);
      break;
    }
    records.push(JSON.parse(json) as Fields);
  }
  return records;
}
