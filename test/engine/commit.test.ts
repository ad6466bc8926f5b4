import { describe, expect, it } from 'vitest';
import { notReady, passCommit, writeCommit, type CommitParts } from '../../src/engine/commit.ts';
import type { Failures, StepFailure } from '../../src/engine/failures.ts';
import type { Place } from '../../src/engine/step-key.ts';
import { Log } from '../../src/journal/log.ts';
import type { CommitNode } from '../../src/language/document.ts';
import { Redactor } from '../../src/util/redact.ts';
import { perform } from '../helpers/scripted-hosts.ts';
import { runRecord, refusal } from '../helpers/records.ts';

const hosts = ['h1', 'h2'];
const place = {
  ...{ play: { id: 'p' }, batch: hosts, number: 2, at: 'section', roles: [] },
} as unknown as Place;
const none = (): Promise<Failures> => Promise.resolve(new Map<string, StepFailure>());
const failOn = (host: string): Promise<Failures> =>
  Promise.resolve(new Map([[host, { task: 'T', id: 'p/t', failure: refusal('no') }]]));

/** Parts that record their calls. */
function given(more: Partial<CommitParts> = {}): { calls: string[]; log: Log; parts: CommitParts } {
  const log = Log.inMemory(new Redactor());
  log.write(runRecord({ hosts }));
  const calls: string[] = [];
  log.subscribe(
    (entry) => {
      if (entry.t === 'commit') calls.push(`commit ${entry.name}`);
    },
    (error) => {
      throw error;
    },
  );
  const parts: CommitParts = {
    log,
    knowledge: { uncertain: new Map(), tolerated: new Set(), unsettled: new Set() },
    check: false,
    lastUnit: () => 7,
    pendingFailAt: () => undefined,
    flush: (_hosts, { at }) => {
      calls.push(at);
      return none();
    },
    gate: ({ name }) => {
      calls.push(`gate ${name}`);
      return none();
    },
    rollBackFailed: () => {
      calls.push('roll back');
      return Promise.resolve();
    },
    ...more,
  };
  return { calls, log, parts };
}

const node = (more: Partial<CommitNode> = {}): CommitNode => ({
  ...({ kind: 'commit', id: 'p/tasks/done', name: 'Done', tags: [], confirm: false } as const),
  ...{ at: { file: 'p.yml', line: 1, column: 1 }, reason: undefined },
  gate: [{ name: 'A' }, { name: 'B' }] as unknown as CommitNode['gate'],
  ...more,
});

describe('a commit point', () => {
  it('runs handlers, gates and the rollback of tolerated hosts in this order', async () => {
    const { calls, log, parts } = given();
    expect(await passCommit(parts, node(), hosts, place)).toEqual(new Map());
    expect(calls).toEqual([
      ...['commit:tasks/done', 'gate A', 'gate B', 'roll back', 'no-return:tasks/done'],
      'commit Done',
    ]);
    expect(log.state.commit).toEqual({ name: 'Done', unit: 7 });
    expect([...log.state.commits]).toEqual(['p/2/commit:tasks/done']);
  });

  it('only replays its handlers in a resumed run that has passed it before', async () => {
    const { calls, parts } = given();
    await passCommit(parts, node(), hosts, place);
    const first = calls.splice(0);
    expect(await passCommit(parts, node(), hosts, place)).toEqual(new Map());
    expect(calls.splice(0)).toEqual(['commit:tasks/done']);
    await passCommit(parts, node(), hosts, { ...place, number: 3 });
    expect(calls).toEqual(first);
  });

  it.each([
    ['a handler', { flush: () => failOn('h2') }],
    ['a gate', { gate: () => failOn('h2') }],
  ] as [string, Partial<CommitParts>][])(
    'is not passed and fails all hosts when %s fails',
    async (_, more) => {
      const { log, parts } = given(more);
      const failed = await passCommit(parts, node(), hosts, place);
      const why = 'h2: "T" failed (p/t): no';
      expect(failed.get('h1')?.failure).toEqual({ kind: 'not-begun', step: 'Done', why });
      expect(failed.get('h2')?.failure).toEqual(refusal('no'));
      expect(log.state.commit).toBeUndefined();
    },
  );
});

describe('a point of no return', () => {
  const ask = (more: Partial<CommitParts>, irreversible = true) =>
    notReady(given(more).parts, { name: 'Wipe', id: 'p/tasks/wipe' }, hosts, place, {
      irreversible,
    });

  it.each([
    [
      'the outcome of a step is unknown',
      {
        knowledge: {
          uncertain: new Map([['h1', new Set(['Copy'])]]),
          ...{ tolerated: new Set<string>(), unsettled: new Set<string>() },
        },
      },
      'the outcome of "Copy" on h1 is unknown',
    ],
    [
      'a host could not be rolled back',
      {
        knowledge: { uncertain: new Map(), tolerated: new Set(['h3']), unsettled: new Set(['h3']) },
      },
      'a host that failed could not be rolled back',
    ],
    [
      'the --fail-at step did not fail',
      { pendingFailAt: () => 'p/one' },
      'the --fail-at step was skipped on every host (p/one)',
    ],
  ])('does not start on any host when %s', async (_, more, why) => {
    const failure = { kind: 'not-begun', step: 'Wipe', why };
    const failed = { task: 'Wipe', id: 'p/tasks/wipe', failure, notBegun: true };
    expect(await ask(more)).toEqual(new Map(hosts.map((host) => [host, failed])));
    expect(await ask({ ...more, check: true })).toEqual(new Map());
  });

  it('does not start if the rollback of a tolerated host before it was incomplete', async () => {
    const unsettled = new Set<string>();
    const failed = await ask({
      knowledge: { uncertain: new Map(), tolerated: unsettled, unsettled },
      rollBackFailed: () => Promise.resolve(void unsettled.add('h3')),
    });
    expect([...failed.keys()]).toEqual(hosts);
  });

  it('is required by --fail-at only if it is irreversible', async () => {
    expect(await ask({ pendingFailAt: () => 'p/one' }, false)).toEqual(new Map());
  });
});

it('passes a commit point with a secret in its name once', async () => {
  const redactor = new Redactor();
  redactor.add('password', 'docker');
  const log = Log.inMemory(redactor);
  log.write(runRecord({ hosts }));
  const { parts } = given({ log });
  await passCommit(parts, node({ id: 'p/tasks/docker' }), hosts, place);
  await passCommit({ ...parts, lastUnit: () => 9 }, node({ id: 'p/tasks/docker' }), hosts, place);
  expect(log.state.commit?.unit).toBe(7);
});

it('records the commit point of a play once', async () => {
  const { calls, parts } = given();
  await writeCommit(parts, 'p batch 1');
  await writeCommit(parts, 'p batch 1');
  expect(calls).toEqual(['commit p batch 1']);
});

it.each([
  ['never reachable', '', ['h2']],
  ['unreachable in a step and rolled back', 'lose-on h2', []],
])(
  'the other hosts pass a commit point after a tolerated host was %s',
  async (_, command, away) => {
    const { recording, result } = await perform({
      text: `- name: P
  hosts: h1, h2
  max_failures: 1
  tasks:
    - { name: Ask, command: ok, undo: { none: harmless } }
    - { name: Lose, command: ${command || 'ok'}, undo: [{ name: Undo, command: ok }] }
    - { name: Work, command: ok, undo: { none: harmless } }
    - { commit: Done }
`,
      away,
    });
    expect(result).toMatchObject({ status: 'done' });
    expect(recording.records.some(({ t }) => t === 'commit')).toBe(true);
  },
);
