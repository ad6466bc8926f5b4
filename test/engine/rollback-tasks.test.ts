import { describe, expect, it } from 'vitest';
import type { KeptOutput } from '../../src/core/host.ts';
import { Template } from '../../src/core/value.ts';
import {
  keepEvidence,
  recordPolicy,
  runAfterTasks,
  type WantedPolicy,
} from '../../src/engine/rollback-tasks.ts';
import { Log } from '../../src/journal/log.ts';
import type { RollbackPolicy, TaskNode } from '../../src/language/document.ts';
import { Scope } from '../../src/template/scope.ts';
import { Redactor } from '../../src/util/redact.ts';
import { callWorld, type Answers } from '../helpers/call-world.ts';
import { recordedHosts, runRecord } from '../helpers/records.ts';
import { conditionsOf, playOf, policyOf, taskOf } from '../helpers/tasks.ts';

const hosts = ['h1', 'h2'];
const command = (cmd: string, more: Partial<TaskNode> = {}): TaskNode =>
  taskOf({ module: 'command', name: cmd, args: { cmd: new Template(cmd) }, ...more });

/** A run that has recorded a policy. */
function recorded(policy: Partial<RollbackPolicy>, { check = false } = {}) {
  const log = Log.inMemory(new Redactor());
  log.write(runRecord({ hosts }));
  const said: string[] = [];
  log.subscribe(
    (entry) => {
      if (entry.t === 'message') said.push(`${entry.level}: ${entry.text}`);
    },
    (error) => {
      throw error;
    },
  );
  const inventory = { file: '', hosts: recordedHosts(log.state), groups: new Map() };
  const wanted: WantedPolicy = { id: '', policy: policyOf(policy), play: playOf() };
  const variables = { scope: () => new Scope([{ name: 'play', values: { port: 80, other: 1 } }]) };
  const note = () => {
    recordPolicy(wanted, variables, { inventory, log, settings: { check } }, hosts);
  };
  note();
  return { log, said, note };
}

async function run(
  work: typeof keepEvidence,
  { log, said }: ReturnType<typeof recorded>,
  answers: Answers,
) {
  const { parts: world, asked } = callWorld(answers, log);
  const kept: Record<string, string> = {};
  const sink = (name: string): KeptOutput => ({
    ...{ path: `/run/${name}`, failed: false, end: () => undefined },
    write: (bytes) => (kept[name] = String(bytes)),
  });
  const settings = { ...world.settings, forks: 5 };
  const parts = { ...world, settings, log, redactor: new Redactor(), keepOutput: sink };
  await work(parts, log.state);
  return { said, asked: asked.sort(), kept };
}

describe('the rollback settings of a playbook', () => {
  it('are recorded once, for each host with the values that their tasks need', () => {
    const { log, note } = recorded({
      budgetSeconds: 9,
      before: [command('look {{port}}', { runOnce: true })],
      after: [command('say')],
    });
    note();
    const [policy, ...more] = log.state.policies;
    expect(more).toEqual([]);
    expect(policy).toMatchObject({ play: '', budgetSeconds: 9, settleSeconds: undefined });
    expect(policy?.tasks().map(({ phase, host, vars }) => ({ phase, host, vars }))).toEqual([
      { phase: 'before', host: 'h1', vars: { port: 80, inventory_hostname: 'h1' } },
      { phase: 'after', host: 'h1', vars: { inventory_hostname: 'h1' } },
      { phase: 'after', host: 'h2', vars: { inventory_hostname: 'h2' } },
    ]);
  });

  it('are not recorded if there are none, or in check mode', () => {
    expect(recorded({}).log.state.policies).toEqual([]);
    expect(recorded({ budgetSeconds: 9 }, { check: true }).log.state.policies).toEqual([]);
    expect(recorded({ onFailure: 'stop' }).log.state.policies).toHaveLength(1);
  });
});

describe('evidence of a failure', () => {
  it('is saved in a file for each host', async () => {
    const known = recorded({ before: [command('Show ports')] });
    const { kept, said } = await run(keepEvidence, known, (host) => ({
      stdout: `of ${host}`,
      stderr: 'odd',
    }));
    expect(kept).toMatchObject({ 'evidence.h1.1-show-ports': 'of h1\nodd\n' });
    expect(Object.keys(kept)).toHaveLength(2);
    expect(said[0]).toMatch(/^info: .* was saved to \/run\/evidence\.h1\.1-show-ports\.$/);
  });

  it('that cannot be collected is reported, and the next task runs', async () => {
    const known = recorded({
      before: [command('a', { runOnce: true }), command('b', { runOnce: true })],
    });
    const { asked, said, kept } = await run(keepEvidence, known, () => undefined);
    expect(asked).toEqual(['h1: a', 'h1: b']);
    expect(said).toEqual([
      expect.stringMatching(
        /^warning: Cannot collect evidence "a" on h1: h1 is unreachable$/,
      ) as string,
      expect.stringMatching(/^warning: Cannot collect evidence "b" on h1/) as string,
    ]);
    expect(kept).toEqual({});
  });
});

describe('a task after a rollback', () => {
  const after = (more: Partial<TaskNode>, answers: Answers = () => ({ code: 1 })) =>
    run(
      runAfterTasks,
      recorded({ after: [command('go {{port}}', { runOnce: true, ...more })] }),
      answers,
    );

  it('is reported if it fails, unless its errors are ignored', async () => {
    const { asked, said } = await after({});
    expect(asked).toEqual(['h1: go 80']);
    expect(said).toEqual([
      expect.stringMatching(/^error: Task "go .*" of rollback.after failed on h1: /) as string,
    ]);
    expect((await after({ ignoreErrors: true })).said).toEqual([]);
    expect((await after({}, () => ({}))).said).toEqual([]);
  });

  it('is skipped if its condition is false, and fails if that cannot be evaluated', async () => {
    expect(await after({ when: conditionsOf('port == 81') })).toMatchObject({
      asked: [],
      said: [],
    });
    const unknown = await after({ when: conditionsOf('nowhere == 1') });
    expect(unknown).toMatchObject({
      asked: [],
      said: [expect.stringContaining('nowhere') as string],
    });
  });

  it('runs on the host it is delegated to, with its own variables', async () => {
    const { asked } = await after({ delegateTo: 'h2', vars: [{ port: 82 }] }, () => ({}));
    expect(asked).toEqual(['h2: go 82']);
    const lost = await after({ delegateTo: 'h9' });
    expect(lost.said).toEqual([
      expect.stringContaining('Host "h9" of "delegate_to" is not part of this run') as string,
    ]);
  });
});
