import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { perform, type Performance, type Script } from './scripted-hosts.ts';
import { printTrace } from './trace.ts';
import { TraceFile } from './trace-file.ts';

interface Expected extends Partial<Script> {
  /** Lines of steps: all of them, in order. */
  trace?: (string | RegExp)[];
  /** Messages or output of steps: of all hosts in order, or of one. */
  messages?: Record<string, string | RegExp | string[]>;
  /** Part of the problem that is reported before the run. */
  problem?: string | RegExp;
  /** Part of the error that ends the run. */
  throws?: string;
  /** The run fails in the end. */
  failed?: boolean;
  /** Maximum number of commands that run at the same time. */
  most?: number;
  /** Longest time limit of a query to a host, in milliseconds. */
  patience?: number;
  /** Text that no event contains. */
  never?: string;
}

interface Rule extends Expected {
  /** Another test of the rule: its file, and a title in it. */
  seen?: [file: string, title: string];
  also?: Expected[];
}

/** Settings of a run on one host. */
export const onH1 = { limit: 'h1' };

/** A task that prints a text. */
export function say(name: string, text: string): string {
  return `- { name: ${name}, debug: { msg: '${text}' } }`;
}

/** Defines rules whose traces are in `test/traces/NAME.txt`. */
export function rulesOf(name: string): (title: string, rule: Rule) => void {
  const traces = new TraceFile(name);
  afterAll(() => {
    traces.save();
  });
  it('has no trace of a removed rule', () => {
    expect(traces.leftOver()).toEqual([]);
  });
  return (title, rule) => {
    defineRule(traces, title, rule);
  };
}

/** One rule of the language, tested with playbooks on scripted hosts. */
function defineRule(traces: TraceFile, title: string, { seen, also = [], ...first }: Rule): void {
  describe(title, () => {
    const cases = [first, ...also].filter(({ text }) => text !== undefined);
    if (seen) {
      it(`is tested in ${seen[0]}`, () => {
        const file = join(packageRoot(), seen[0]);
        expect(existsSync(file)).toBe(true);
        expect(readFileSync(file, 'utf8')).toContain(seen[1]);
      });
    }
    cases.forEach((one, index) => {
      const which = index === 0 ? '' : `, case ${String(index + 1)}`;
      traces.add(`${title}${which}`);
      it(`holds${which}`, async () => {
        const said = perform({ ...one, text: one.text ?? '' });
        await check(one, said);
        traces.compare(`${title}${which}`, await traceOf(said));
      });
    });
    if (!seen && cases.length === 0) throw new Error(`Rule "${title}" has no case.`);
  });
}

async function traceOf(said: Promise<Performance>): Promise<string[]> {
  // Problems and errors contain the directory of the case, too, of which only the prefix is known.
  const line = (kind: string, text: string) =>
    `${kind} ${JSON.stringify(text).replaceAll(/\/[\w./-]*\/runner-scripted-\w+/g, '<dir>')}`;
  try {
    const { problems, recording } = await said;
    return [...problems.map((text) => line('problem', text)), ...printTrace(recording)];
  } catch (error) {
    return [line('error', (error as Error).message)];
  }
}

async function check(expected: Expected, said: Promise<Performance>): Promise<void> {
  const { trace, messages = {}, problem, throws, failed, most, never } = expected;
  if (throws !== undefined) {
    await expect(said).rejects.toThrow(throws);
    return;
  }
  const { problems, result, events, ...seen } = await said;
  if (problem !== undefined) {
    const said = problems.join('\n');
    if (typeof problem === 'string') expect(said).toContain(problem);
    else expect(said).toMatch(problem);
    return;
  }
  expect(problems).toEqual([]);
  if (trace) {
    expect(seen.trace).toEqual(
      trace.map((line) =>
        typeof line === 'string' ? line : (expect.stringMatching(line) as string),
      ),
    );
  }
  for (const [name, wanted] of Object.entries(messages)) {
    const ends = events.flatMap((event) =>
      event.type === 'unit-end' && event.step.name === name
        ? [{ host: event.host, text: event.message ?? event.stdout ?? '' }]
        : [],
    );
    const texts = ends.toSorted((a, b) => (a.host < b.host ? -1 : 1)).map((end) => end.text);
    if (Array.isArray(wanted)) expect(texts, name).toEqual(wanted);
    else if (wanted instanceof RegExp) expect(texts.join('\n'), name).toMatch(wanted);
    else expect(texts, name).toEqual([wanted]);
  }
  if (most !== undefined) expect(seen.most).toBe(most);
  if (expected.patience !== undefined) expect(seen.patience).toBe(expected.patience);
  if (never !== undefined) expect(JSON.stringify(events)).not.toContain(never);
  const status = failed === true ? 'failed' : 'done';
  if (trace || failed !== undefined) expect(result).toMatchObject({ status });
}
