import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NotUndone } from '../../../src/core/undo.ts';
import { checkJournal } from '../../../src/checker/check-journal.ts';
import { UndoOrder, type UndoMove } from '../../../src/engine/undo/order.ts';
import { encodeRecord } from '../../../src/journal/codec.ts';
import { Log } from '../../../src/journal/log.ts';
import {
  isSettled,
  needsUndo,
  undoCandidates,
  type RecordedUnit,
} from '../../../src/journal/recorded-run.ts';
import type { JournalRecord, UndoBody } from '../../../src/journal/records.ts';
import { Redactor } from '../../../src/util/redact.ts';
import { histories, type History } from '../../helpers/histories.ts';
import {
  changedRecord,
  handlerRecord,
  intentRecord,
  runRecord,
  stepRecord,
} from '../../helpers/records.ts';

type Fate = 'undone' | 'skipped' | 'failed' | 'secret' | 'away';

/**
 * A rollback without hosts: random numbers decide how each undo ends and which running undo ends
 * next.
 */
class Model {
  readonly log = Log.inMemory(new Redactor());
  readonly lines: string[] = [];
  readonly moves: UndoMove[] = [];
  readonly #away = new Set<string>();
  readonly #chance: () => number;

  constructor({ records }: History, chance: readonly number[]) {
    let next = 0;
    this.#chance = () => chance[next++ % chance.length] ?? 0;
    for (const record of records) this.write(record);
  }

  /** The records in short form, for the message of a failed test. */
  get story(): string {
    return this.lines
      .map((line) =>
        line.replace(
          /"(actions|args|become|module|at|play|durationMs)":(\{.*?\}|\[.*?\]|[^,}]*),?/g,
          '',
        ),
      )
      .join('');
  }

  write(record: JournalRecord): void {
    this.log.write(record);
    this.lines.push(encodeRecord(this.lines.length + 1, record));
  }

  /** Writes the end of a rollback that has undone everything. */
  end(): void {
    const at = '1970-01-01T00:00:00Z';
    this.write({ t: 'end', outcome: 'rolled_back', exitCode: 3, message: 'Rolled back.', at });
  }

  /** @param only hosts to roll back; default: all */
  rollBack(forks: number, fates: readonly Fate[], only?: string[], skip: number[] = []): UndoOrder {
    this.write({ t: 'rollback', reason: 'failed', attempt: 1, hosts: only });
    const run = this.log.state;
    const candidates = undoCandidates(run).filter(
      ({ intent }) =>
        only === undefined || (only.includes(intent.host) && intent.shared !== 'run_once'),
    );
    const order = new UndoOrder({
      ...{ skip: new Set(skip), candidates, units: run.units.values() },
      hostsAtATime: () => forks,
      pathsOf: ({ intent }) => [`/etc/${String(intent.unit % 3)}`],
    });
    // Hosts become reachable again a few times at most.
    for (let returns = 0; ; returns++) {
      this.#walk(order, returns > 3 ? ['undone'] : fates);
      if (this.#away.size === 0 || returns > 3) return order;
      const back = [...this.#away].filter(() => this.#chance() % 3 > 0);
      for (const host of back) {
        this.#away.delete(host);
        this.write({ t: 'unparked', host });
      }
      order.areReachable(back);
    }
  }

  #walk(order: UndoOrder, fates: readonly Fate[]): void {
    const going: RecordedUnit[] = [];
    for (;;) {
      const moves = order.next();
      for (const move of moves) {
        this.moves.push(move);
        if (move.do === 'undo') {
          this.write({ t: 'undo-intent', unit: move.unit.intent.unit });
          going.push(move.unit);
        } else if (move.do === 'conclude') this.#settle(move.unit, move.as, move.why);
      }
      if (moves.length > 0) continue;
      const [unit] = going.splice(this.#chance() % Math.max(1, going.length), 1);
      if (!unit) return;
      this.#end(unit, order, fates[this.#chance() % fates.length] ?? 'undone');
    }
  }

  #end(unit: RecordedUnit, order: UndoOrder, fate: Fate): void {
    const { host, target, undo } = unit.intent;
    if (fate === 'away') {
      const hosts = target === 'localhost' ? [host] : [target];
      for (const name of hosts) {
        this.#away.add(name);
        this.write({ t: 'parked', host: name, why: { kind: 'unresolved', host: name } });
      }
      order.areUnreachable(unit, hosts);
      return;
    }
    const states = { undone: 'undone', skipped: 'undo-skipped', failed: 'undo-failed' } as const;
    this.#settle(unit, fate === 'secret' ? 'undo-blocked' : states[fate]);
    const stuck = fate === 'failed' && undo.error === 'block' && undo.kind !== 'uncovered';
    order.ended(unit, { stuck: stuck || fate === 'secret' });
  }

  #settle(
    { intent }: RecordedUnit,
    state: NonNullable<RecordedUnit['undo']>,
    why: NotUndone = { kind: 'unmet', condition: 'x' },
  ): void {
    const said = state === 'undo-skipped' ? why : undefined;
    this.write({ t: 'undo-result', unit: intent.unit, state, why: said, durationMs: 1 });
  }
}

/** Numbers of the units whose undo started, in that order. */
function undone({ moves }: Model): number[] {
  return moves.flatMap((move) => (move.do === 'undo' ? [move.unit.intent.unit] : []));
}

const restart = { id: 'p/handlers/restart', name: 'restart' };
const chance = fc.array(fc.nat(), { minLength: 1, maxLength: 40 });
const fates: fc.Arbitrary<Fate[]> = fc.array(
  fc.constantFrom('undone', 'undone', 'undone', 'skipped', 'failed', 'secret', 'away'),
  { minLength: 1, maxLength: 12 },
);

describe('the order of undos', () => {
  it('follows the rules of undo for any history and any results of undos', () => {
    const cases = fc.record({
      ...{ history: histories, chance, fates },
      only: fc.option(fc.subarray(['h1', 'h2', 'h3', 'h4'], { minLength: 1 }), { nil: undefined }),
      skip: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(cases, ({ history, chance, fates, only, skip }) => {
        const model = new Model(history, chance);
        model.rollBack(history.forks, fates, only, skip);
        if (undoCandidates(model.log.state).every(isSettled)) model.end();
        expect(checkJournal(model.lines.join('')), model.story).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it('settles every unit when all undos succeed', () => {
    fc.assert(
      fc.property(histories, chance, (history, chance) => {
        const model = new Model(history, chance);
        const order = model.rollBack(history.forks, ['undone']);
        expect(order.isAtEnd).toBe(true);
        expect(order.open).toEqual([]);
        expect(undoCandidates(model.log.state).every(isSettled), model.story).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('settles or blocks every unit when no host is unreachable', () => {
    fc.assert(
      fc.property(histories, chance, fates, (history, chance, fates) => {
        const model = new Model(history, chance);
        const present = fates.filter((fate) => fate !== 'away');
        const order = model.rollBack(history.forks, present.length > 0 ? present : ['failed']);
        expect(order.open).toEqual([]);
        for (const unit of undoCandidates(model.log.state))
          if (needsUndo(unit)) expect(unit.undo).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  });

  it('undoes each unit at most once when no host is unreachable', () => {
    fc.assert(
      fc.property(histories, chance, (history, chance) => {
        const model = new Model(history, chance);
        model.rollBack(history.forks, ['undone', 'failed', 'skipped']);
        expect(undone(model)).toEqual([...new Set(undone(model))]);
      }),
      { numRuns: 1000 },
    );
  });

  describe('for a handler that ran', () => {
    const notifies = [restart];
    const history = (shared?: 'run_once'): History => ({
      hosts: ['h2'],
      forks: 2,
      records: [
        runRecord({ hosts: ['h2'] }),
        ...[stepRecord(1, ['h2']), intentRecord(1, 1, 'h2', { shared, notifies })],
        ...[changedRecord(1, 1, 'h2'), stepRecord(2, ['h2'])],
        ...[intentRecord(2, 2, 'h2', { notifies }), changedRecord(2, 2, 'h2')],
        ...[stepRecord(3, ['h2']), handlerRecord(3, 3, 'h2', restart), changedRecord(3, 3, 'h2')],
      ],
    });
    const statesAfter = (model: Model): (string | undefined)[] =>
      [1, 2, 3].map((number) => model.log.state.units.get(number)?.undo);

    it('runs the handler again after all changes that notified it are undone', () => {
      const model = new Model(history(), [0]);
      model.rollBack(2, ['undone']);
      expect(statesAfter(model)).toEqual(['undone', 'undone', 'undone']);
      expect(undone(model)).toEqual([2, 1, 3]);
    });

    it('does not wait for a run_once step that is not undone', () => {
      const model = new Model(history('run_once'), [0]);
      model.rollBack(2, ['undone'], ['h2']);
      expect(statesAfter(model)).toEqual([undefined, 'undone', 'undone']);
    });

    it('runs it before the handler that it notified itself', () => {
      const second = { id: 'p/handlers/second', name: 'second' };
      const records = [
        runRecord({ hosts: ['h2'] }),
        ...[stepRecord(1, ['h2']), intentRecord(1, 1, 'h2', { notifies })],
        ...[changedRecord(1, 1, 'h2'), stepRecord(2, ['h2'])],
        { ...handlerRecord(2, 2, 'h2', restart), notifies: [second] },
        ...[changedRecord(2, 2, 'h2'), stepRecord(3, ['h2'])],
        ...[handlerRecord(3, 3, 'h2', second), changedRecord(3, 3, 'h2')],
      ];
      const model = new Model({ hosts: ['h2'], forks: 2, records }, [0]);
      model.rollBack(2, ['undone']);
      expect(undone(model)).toEqual([1, 2, 3]);
    });

    it('can skip the handler', () => {
      const model = new Model(history(), [0]);
      model.rollBack(2, ['undone'], undefined, [3]);
      expect(statesAfter(model)).toEqual(['undone', 'undone', 'undo-skipped']);
    });
  });
});

describe('changes of one step that several hosts delegated to one host', () => {
  /** Moves in short form; each undo ends before the next moves are requested. */
  function moves(skip: number[], body: 'auto' | 'declared' = 'auto'): string[][] {
    const log = Log.inMemory(new Redactor());
    const hosts = ['h1', 'h2', 'h3'];
    log.write(runRecord({ hosts }));
    log.write(stepRecord(1, hosts));
    for (const [index, host] of hosts.entries()) {
      const record = intentRecord(index + 1, 1, host, { target: 'h1' });
      const declared: UndoBody = { kind: 'declared', tasks: [], vars: {} };
      const undo = body === 'auto' ? record.undo : { ...record.undo, body: declared };
      log.write({ ...record, undo });
      log.write(changedRecord(index + 1, 1, host));
    }
    const order = new UndoOrder({
      ...{ skip: new Set(skip), candidates: undoCandidates(log.state) },
      ...{ units: log.state.units.values(), hostsAtATime: () => 5, pathsOf: () => ['/etc/a'] },
    });
    const said: string[][] = [];
    for (let next = order.next(); next.length > 0; next = order.next()) {
      said.push(
        next.map((one) =>
          one.do === 'pass' ? 'pass' : `${one.do} ${String(one.unit.intent.unit)}`,
        ),
      );
      for (const one of next) if (one.do === 'undo') order.ended(one.unit, { stuck: false });
    }
    return said;
  }

  it('are undone one after the other, the last first, if a module restores them', () => {
    expect(moves([])).toEqual([['undo 3'], ['undo 2'], ['undo 1'], ['pass']]);
  });

  it('do not wait for a skipped one', () => {
    expect(moves([3])).toEqual([['conclude 3', 'undo 2'], ['undo 1'], ['pass']]);
    expect(moves([2])).toEqual([['undo 3', 'conclude 2'], ['undo 1'], ['pass']]);
  });

  it('are undone in parallel if the playbook declares the undo', () => {
    expect(moves([], 'declared')).toEqual([['undo 3', 'undo 2', 'undo 1'], ['pass']]);
  });
});
