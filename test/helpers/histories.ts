import fc from 'fast-check';
import type { IntentRecord, JournalRecord } from '../../src/journal/records.ts';
import type { UnitState } from '../../src/core/states.ts';
import { intentRecord, runRecord, stepRecord } from './records.ts';

const bodies = {
  ...{ auto: { calls: [] }, rerun: { calls: [] }, declared: { tasks: [], vars: {} } },
  ...{ none: {}, uncovered: {} },
};
/** Includes two handlers with the same name, like those of a role in two plays. */
const handlers = [
  { id: 'p/restart', name: 'restart' },
  { id: 'q/restart', name: 'restart' },
  { id: 'p/reload', name: 'reload' },
] as const;

/** The records of a run before its rollback, in order. */
export interface History {
  hosts: string[];
  forks: number;
  records: JournalRecord[];
}

interface UnitShape {
  state: UnitState | 'cut';
  kind: 'auto' | 'rerun' | 'declared' | 'none' | 'uncovered';
  /** Notified handlers, or the handler of a handler run. */
  handlers: number;
  isAlways: boolean;
  isLenient: boolean;
}
interface StepShape {
  form: 'own' | 'run_once' | 'delegated' | 'controller' | 'handler' | 'block' | 'end' | 'commit';
  /** Units by host, then by item. */
  units: UnitShape[][];
  /** Random number for choices of a form. */
  choice: number;
}

const unitShape: fc.Arbitrary<UnitShape> = fc.record({
  state: fc.constantFrom('changed', 'changed', 'changed', 'ok', 'failed', 'unreachable', 'cut'),
  kind: fc.constantFrom('auto', 'auto', 'declared', 'none', 'uncovered'),
  handlers: fc.nat(63),
  isAlways: fc.nat(9).map((n) => n === 0),
  isLenient: fc.nat(4).map((n) => n === 0),
});
const stepShape = (hosts: number): fc.Arbitrary<StepShape> =>
  fc.record({
    form: fc.constantFrom(
      ...(['own', 'own', 'own', 'run_once', 'delegated', 'controller', 'handler'] as const),
      ...(['handler', 'block', 'end', 'commit'] as const),
    ),
    units: fc.array(fc.array(unitShape, { minLength: 1, maxLength: 3 }), {
      minLength: hosts,
      maxLength: hosts,
    }),
    choice: fc.nat(),
  });

/**
 * Random runs: steps of one or several items on up to four hosts, shared steps, handlers, blocks,
 * commit points.
 */
export const histories: fc.Arbitrary<History> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
  .chain(([count, forks]) =>
    fc.array(stepShape(count), { minLength: 1, maxLength: 8 }).map((steps) => {
      const hosts = Array.from({ length: count }, (_, index) => `h${String(index + 1)}`);
      return { hosts, forks, records: new Writer(hosts, forks).write(steps) };
    }),
  );

class Writer {
  readonly #hosts: readonly string[];
  readonly #records: JournalRecord[];
  /** Numbers of the open blocks, by host. */
  readonly #blocks: Map<string, number>[] = [];
  #unit = 0;
  #step = 0;

  constructor(hosts: readonly string[], forks: number) {
    this.#hosts = hosts;
    this.#records = [{ ...runRecord({ hosts: [...hosts] }), options: { forks } } as JournalRecord];
  }

  write(steps: readonly StepShape[]): JournalRecord[] {
    for (const step of steps) this.#writeStep(step);
    while (this.#blocks.length > 0) this.#endBlock();
    return this.#records;
  }

  #writeStep(shape: StepShape): void {
    const { form, units, choice } = shape;
    if (form === 'commit') {
      const point = { name: 'c', key: `c${String(this.#unit)}`, unit: this.#unit };
      this.#records.push({ t: 'commit', ...point, irreversible: choice % 2 === 0 });
      return;
    }
    if (form === 'end') {
      this.#endBlock();
      return;
    }
    const hosts = form === 'run_once' ? this.#hosts.slice(0, 1) : this.#hosts;
    const number = ++this.#step;
    this.#records.push(stepRecord(number, [...hosts]));
    if (form === 'block') {
      const opened = new Map(hosts.map((host) => [host, this.#openBlock(host, shape)]));
      this.#blocks.push(opened);
      return;
    }
    for (const [index, host] of hosts.entries()) {
      for (const [item, unit] of (units[index] ?? []).entries())
        this.#writeUnit(host, unit, item, shape);
    }
  }

  #writeUnit(host: string, unit: UnitShape, index: number, { form, choice }: StepShape): void {
    const other = this.#hosts[choice % this.#hosts.length] ?? host;
    const target = { delegated: other, controller: 'localhost' }[form as string] ?? host;
    const handler = form === 'handler' ? handlers[choice % handlers.length] : undefined;
    const shared =
      form === 'own' || form === 'handler' ? undefined : (form as IntentRecord['shared']);
    const kind = handler && unit.kind === 'auto' ? 'rerun' : unit.kind;
    const notifies = handlers.filter((_, index) => (unit.handlers >> index) % 4 === 3);
    const more = { shared, handler, notifies, index };
    const number = this.#intent(host, target, { ...unit, kind }, more);
    if (unit.state === 'cut') return;
    const result = { unit: number, step: this.#step, host, state: unit.state, durationMs: 1 };
    this.#records.push({ t: 'result', ...result });
  }

  #openBlock(host: string, { units, choice }: StepShape): number {
    const shape = units[0]?.[0];
    if (!shape) throw new Error('A step of a history must have units for each host.');
    const block = { until: Infinity, replace: choice % 3 === 0 };
    return this.#intent(host, host, { ...shape, kind: 'declared', isAlways: false }, { block });
  }

  #endBlock(): void {
    for (const [, unit] of this.#blocks.pop() ?? [])
      this.#records.push({ t: 'block-end', unit, upTo: this.#unit });
  }

  #intent(
    host: string,
    target: string,
    { kind, isAlways, isLenient }: UnitShape,
    more: Pick<IntentRecord, 'shared' | 'handler' | 'notifies' | 'index' | 'block'>,
  ): number {
    const unit = ++this.#unit;
    const body = { kind, ...bodies[kind] } as IntentRecord['undo']['body'];
    const on = isAlways ? 'always' : (['changed', 'failed', 'unknown'] as const);
    const undo = {
      ...{ body, on, when: [], error: isLenient ? 'continue' : 'block', captured: {} },
    } as IntentRecord['undo'];
    this.#records.push(intentRecord(unit, this.#step, host, { target, undo, ...more }));
    return unit;
  }
}
