import { createHash } from 'node:crypto';
import { describeAction, type Action } from '../core/action.ts';
import {
  ConnectError,
  JournalError,
  RunnerError,
  TaskError,
  TemplateError,
  TimeoutError,
  UnknownValueError,
} from '../core/errors.ts';
import type { StepInfo, UndoKind, UnitState } from '../core/events.ts';
import type { CommandOutput } from '../core/fact.ts';
import type { InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import {
  effectOf,
  resultLines,
  type FileDiff,
  type Module,
  type Plan,
  type Question,
} from '../core/module.ts';
import type { Become, Limit, TaskNode } from '../language/document.ts';
import type { HostSession, OutputSink } from '../core/host.ts';
import type { IntentRecord } from '../journal/records.ts';
import { unknownValue, type Scope, type ScopeValue } from '../template/scope.ts';
import { trace } from '../util/trace.ts';
import { resolveAccess } from './access.ts';
import { recordedArguments, renderArguments } from './arguments.ts';
import {
  DEFAULT_TIMEOUT_SECONDS,
  FACT_TIMEOUT_MS,
  openSession,
  type EngineContext,
} from './context.ts';
import { ControllerFiles } from './controller-files.ts';
import { SessionHostView } from './host-view.ts';
import { runChanges, runEffect, type RunChanges } from './run-effects.ts';
import { holdsFor } from './result-conditions.ts';
import { undoBody, undoKind } from './undo-plan.ts';

/** One execution of a task on one host for one loop item. */
export interface Unit {
  number: number;
  task: TaskNode;
  step: StepInfo;
  host: InventoryHost;
  /** Where it runs: the host, or what it is delegated to. */
  target: InventoryHost;
  scope: Scope;
  item: JsonValue | undefined;
  /** Position in the loop, from zero. */
  index?: number | undefined;
  label: string | undefined;
  /** Folders for templates and files, nearest first. */
  folders: string[];
  /** Set for a handler's run: the units that notified it. */
  notifiedBy: number[] | undefined;
  /** Not the host's own business alone. */
  shared?: IntentRecord['shared'];
  /** False for undo, capture and fingerprint tasks, whose caller keeps the record. */
  recorded: boolean;
}

export interface UnitOutcome extends RunChanges {
  /** The playbook itself is wrong, which nothing ignores. */
  mistake?: boolean;
  state: UnitState;
  /** The registered value; unknown in check mode for what only a real run can tell. */
  result: ScopeValue;
  changed: boolean;
  failed: boolean;
  message: string | undefined;
  rc: number | undefined;
  actions: string[];
  diff: FileDiff[] | undefined;
  undo: UndoKind | undefined;
}

interface Attempt {
  /** The playbook itself is wrong, which nothing ignores. */
  mistake?: boolean;
  result: JsonObject;
  changed: boolean;
  failed: boolean;
  /** The host could not be asked, or the effect is not known. */
  lost: 'unreachable' | 'unknown' | undefined;
  unknown: boolean;
  plan: Plan | undefined;
  /** As they were rendered; those of the playbook where that failed. */
  args: JsonObject;
}

/** Runs a unit with its retries and decides its state. Never throws for what a host or a template did. */
export async function runUnit(context: EngineContext, unit: Unit): Promise<UnitOutcome> {
  const { task } = unit;
  const module = context.modules.get(task.module);
  if (!module) throw new TaskError(`Module "${task.module}" is not available.`);
  const runner = new UnitRunner(context, unit, module);
  let attempt = await runner.attempt();
  const total = 1 + runner.limits.retries;
  for (let number = 1; ;) {
    attempt.result['attempts'] = number;
    if (attempt.unknown || attempt.lost || !runner.wantsRetry(attempt)) break;
    if (number >= total || context.isStopping() || runner.check) {
      if (task.until.length > 0 && !runner.check) runner.failUntil(attempt, number);
      break;
    }
    context.emit({
      type: 'unit-retry',
      step: unit.step,
      host: unit.host.name,
      attempt: number,
      attempts: total,
      message: messageOf(attempt.result) ?? '',
    });
    await context.clock
      .sleep(runner.limits.delaySeconds * 1000, context.signal)
      .catch(() => undefined);
    number++;
    attempt = await runner.attempt();
  }
  return runner.outcome(attempt);
}

class UnitRunner {
  readonly #context: EngineContext;
  readonly #unit: Unit;
  readonly #module: Module;
  /** Nothing is changed; what would be is told. */
  readonly check: boolean;
  /** Rendered with the first attempt. */
  limits = { retries: 0, delaySeconds: 0, timeoutSeconds: DEFAULT_TIMEOUT_SECONDS };
  #intentWritten = false;
  /** Paths of which the recorded undo wants a copy. */
  #copies: readonly string[] = [];
  #attempts = 0;
  /** Files with whole outputs. */
  #kept: string[] = [];

  constructor(context: EngineContext, unit: Unit, module: Module) {
    this.#context = context;
    this.#unit = unit;
    this.#module = module;
    this.check = context.settings.check || unit.task.simulate;
  }

  async attempt(): Promise<Attempt> {
    this.#attempts++;
    this.#kept = [];
    const { args } = this.#unit.task;
    try {
      return await this.#try();
    } catch (error) {
      if (error instanceof JournalError) throw error;
      if (error instanceof UnknownValueError) {
        return {
          result: {},
          changed: false,
          failed: false,
          lost: undefined,
          unknown: true,
          plan: undefined,
          args,
        };
      }
      if (!(error instanceof RunnerError)) throw error;
      const lost =
        error instanceof ConnectError
          ? 'unreachable'
          : error instanceof TimeoutError
            ? 'unknown'
            : undefined;
      const hint = error.hint === undefined ? '' : ` ${error.hint}`;
      const result: JsonObject = { failed: true, changed: false, msg: `${error.message}${hint}` };
      if (lost === 'unreachable') result['unreachable'] = true;
      const mistake = error instanceof TemplateError;
      const nothing = { changed: false, unknown: false, plan: undefined, args };
      return { ...nothing, result, failed: true, lost, mistake };
    }
  }

  wantsRetry({ failed, result }: Attempt): boolean {
    const { task } = this.#unit;
    if (task.until.length === 0) return failed && this.limits.retries > 0;
    try {
      return !this.#holds(task.until, result);
    } catch (error) {
      if (error instanceof RunnerError) return true;
      throw error;
    }
  }

  failUntil(attempt: Attempt, attempts: number): void {
    attempt.failed = true;
    const said = messageOf(attempt.result);
    const after = `Not reached after ${String(attempts)} attempts: ${this.#unit.task.until.join(' and ')}.`;
    attempt.result['msg'] = said === undefined ? after : `${after} Last answer: ${said}`;
  }

  outcome(attempt: Attempt): UnitOutcome {
    const { task } = this.#unit;
    const { result, plan, args } = attempt;
    const reads = effectOf(this.#module, args) === 'reads';
    const common = {
      ...(attempt.mistake ? { mistake: true } : {}),
      ...runChanges(plan),
      actions: reads ? [] : (plan?.actions ?? []).map(describeAction),
      diff: task.showDiff ? plan?.diff : undefined,
      undo: undefined as UndoKind | undefined,
      rc: typeof result['rc'] === 'number' ? result['rc'] : undefined,
    };
    if (attempt.unknown) {
      const message = 'depends on a value that only a real run can give';
      return {
        ...common,
        state: 'unknown',
        result: unknownValue,
        changed: false,
        failed: false,
        message,
      };
    }
    let { changed, failed } = attempt;
    try {
      if (task.changedWhen && !attempt.lost && !this.#predicted(attempt))
        changed = this.#holds(task.changedWhen, result);
      if (task.failedWhen && !attempt.lost && !this.#predicted(attempt))
        failed = this.#holds(task.failedWhen, result);
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error;
      failed = true;
      result['msg'] = error.describe();
    }
    if (task.readOnly) changed = false;
    result['changed'] = changed;
    result['failed'] = failed;
    // The answer is what would change; the host is as it was, and no handler need know.
    if (this.check && !this.#context.settings.check) changed = false;
    const state: UnitState =
      attempt.lost === 'unreachable'
        ? 'unreachable'
        : failed
          ? 'failed'
          : changed
            ? 'changed'
            : 'ok';
    if (changed || this.#intentWritten) common.undo = undoKind(task, this.#module, args);
    // A step that is simulated in a real run is asked for just that answer.
    const predicted =
      this.#context.settings.check && this.#predicted(attempt) && changed && !common.setFacts;
    return {
      ...common,
      state: attempt.lost === 'unknown' && this.#intentWritten ? 'unknown' : state,
      result: predicted ? unknownValue : result,
      changed,
      failed,
      message: messageOf(result),
    };
  }

  /** In check mode, actions were only predicted. */
  #predicted({ plan, args }: Attempt): boolean {
    if (!this.check || plan === undefined || plan.actions.length === 0) return false;
    return effectOf(this.#module, args) !== 'reads';
  }

  async #try(): Promise<Attempt> {
    const { task, host, scope } = this.#unit;
    this.limits = this.#limits();
    const args = renderArguments(task, this.#module, scope);
    trace('template', () => {
      const text = task.noLog ? '(hidden by no_log)' : JSON.stringify(args);
      return `${host.name} ${task.id}: ${task.module} ${text}`;
    });
    // A step that asks the host nothing needs no connection.
    let opened: Promise<HostSession> | undefined;
    const session = () => (opened ??= this.#session());
    const plan = await this.#plan(args, session);
    const patience = runEffect(plan, 'await-host');
    if (patience) await (opened = this.#session(patience));
    const readOnly = task.readOnly || effectOf(this.#module, args) === 'reads';
    await this.#changeRun(plan);
    const base = { changed: false, failed: false, lost: undefined, unknown: false, plan, args };
    if (runEffect(plan, 'ask') && this.check) return { ...base, unknown: true, result: {} };
    // A step that is undone in any case is on record although it changes nothing.
    const always = !this.check && this.#undoesAlways(plan);
    if (plan.actions.length === 0 && !(always && this.#unit.recorded))
      return { ...base, result: { ...plan.result } };
    if (this.check && !readOnly)
      return { ...base, changed: counts(plan.actions), result: { ...plan.result } };
    if ((!readOnly || always) && this.#unit.recorded) await this.#writeIntent(args, plan, session);
    if (plan.actions.length === 0) return { ...base, result: { ...plan.result } };
    const outputs = await this.#perform(plan, session, readOnly);
    return {
      ...base,
      ...this.#conclude(plan, args, outputs),
      ...(readOnly ? { changed: false } : {}),
    };
  }

  async #plan(args: JsonObject, session: () => Promise<HostSession>): Promise<Plan> {
    const { task, scope, host, folders } = this.#unit;
    const { files, settings, signal, sendHttp, decrypt } = this.#context;
    const facts = new SessionHostView({
      name: host.name,
      session,
      signal,
      // Looking may take long as well where the playbook says so.
      factTimeoutMs:
        task.timeoutSeconds === undefined
          ? FACT_TIMEOUT_MS
          : Math.max(FACT_TIMEOUT_MS, this.limits.timeoutSeconds * 1000),
      wantsDiff: settings.diff && task.showDiff,
    });
    const controller = new ControllerFiles({
      ...{ files, scope, folders },
      request: sendHttp,
      decrypt,
      keptCopy: (copy) => this.#context.captures?.read(copy),
    });
    // The schema has let these arguments pass, so they are what the module takes.
    const plan = await this.#module.plan(args as never, {
      host: facts,
      controller,
      once: this.check,
    });
    if (controller.sawSecret) delete plan.diff;
    return withEnvironment(plan, scope.render(task.environment));
  }

  /** Pauses, asks and shows what the plan says. */
  async #changeRun(plan: Plan): Promise<void> {
    const pause = runEffect(plan, 'pause');
    if (pause && !this.check)
      await this.#context.clock.sleep(pause.seconds * 1000, this.#context.signal);
    const ask = runEffect(plan, 'ask');
    if (ask && !this.check)
      plan.result = { ...plan.result, user_input: await this.#ask(ask.question) };
    const show = runEffect(plan, 'show');
    if (!show || (this.check && show.inCheckMode !== true)) return;
    this.#context.emit({ type: 'document', title: show.title, text: show.text });
  }

  /** The result after the actions ran. */
  #conclude(
    plan: Plan,
    args: JsonObject,
    outputs: CommandOutput[],
  ): Pick<Attempt, 'result' | 'failed' | 'changed'> {
    const conclusion = this.#module.conclude?.(outputs, args as never);
    const result = { ...plan.result, ...resultOf(outputs), ...conclusion?.result };
    const failed = outputs.at(-1)?.code !== 0;
    if (this.#kept.length > 0) result['output_files'] = this.#kept;
    if (failed) result['msg'] ??= failureMessage(plan.actions[outputs.length - 1], outputs.at(-1));
    return { result, failed, changed: counts(plan.actions) && conclusion?.changed !== false };
  }

  #access(): Become {
    const { task, target, scope } = this.#unit;
    return resolveAccess(task.become, target.address, scope);
  }

  async #ask(question: Question): Promise<string> {
    const { ask } = this.#context;
    const key = `${String(this.#unit.step.number)}_${String(this.#attempts)}`;
    const answer = await ask?.(key, question);
    if (answer !== undefined) return answer;
    if (ask && this.#context.isStopping())
      throw new TimeoutError('Interrupted: the question was not answered.');
    throw new TaskError(`There is nobody to ask: ${question.text}`, {
      hint: 'Start the run in a terminal and without --output json, or say how long to wait with "seconds".',
    });
  }

  async #session(patience?: {
    seconds: number;
    pauseSeconds: number;
    delaySeconds: number;
  }): Promise<HostSession> {
    const { target } = this.#unit;
    const { clock } = this.#context;
    if (patience && patience.delaySeconds > 0 && !this.check)
      await clock.sleep(patience.delaySeconds * 1000, this.#context.signal);
    const deadline = clock.now() + (patience?.seconds ?? 0) * 1000;
    for (;;) {
      try {
        const session = await openSession(this.#context, target, this.#access());
        // A line that was open before may be dead without anybody having noticed.
        if (patience)
          await session.exchange({ reads: [{ script: ':' }] }, { timeoutMs: FACT_TIMEOUT_MS });
        return session;
      } catch (error) {
        const again = error instanceof ConnectError && error.retryable && clock.now() < deadline;
        if (!patience || !again || this.#context.isStopping()) throw error;
        await clock
          .sleep(patience.pauseSeconds * 1000, this.#context.signal)
          .catch(() => undefined);
      }
    }
  }

  #limits(): UnitRunner['limits'] {
    const { task, scope } = this.#unit;
    const number = (key: string, value: Limit): number => {
      const rendered = typeof value === 'number' ? value : scope.render(value);
      const found = typeof rendered === 'string' ? Number(rendered || Number.NaN) : rendered;
      if (typeof found === 'number' && found >= 0) return found;
      throw new TaskError(`"${key}" is ${JSON.stringify(rendered)}, not a number of at least 0.`, {
        at: task.at,
      });
    };
    return {
      retries: number('retries', task.retries),
      delaySeconds: number('delay', task.delaySeconds),
      timeoutSeconds: number('timeout', task.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS),
    };
  }

  async #writeIntent(
    args: JsonObject,
    plan: Plan,
    session: () => Promise<HostSession>,
  ): Promise<void> {
    const { log, settings } = this.#context;
    const { task, step, host, target, scope, number, item, index, notifiedBy } = this.#unit;
    if (this.#intentWritten || settings.check) return;
    // A host that cannot be reached has nothing on record.
    await session();
    const copies = new Set<string>();
    const captured = (path: string) => {
      copies.add(path);
      return { copyOf: path, unit: number };
    };
    const planned = { task, module: this.#module, args, handler: notifiedBy !== undefined };
    const body = undoBody(planned, plan, { scope, captured });
    const registers = await this.#capture();
    this.#context.fault?.('before-intent', task.id);
    await log.append({
      t: 'intent',
      unit: number,
      step: step.number,
      host: host.name,
      target: target.name,
      shared: this.#unit.shared,
      ...(item === undefined ? {} : { item, index }),
      module: task.module,
      args: task.noLog ? {} : recordedArguments(this.#module, args),
      actions: task.noLog ? [] : plan.actions.map(describeAction),
      become: this.#access(),
      undo: {
        body,
        on: this.#undoesAlways(plan) ? 'always' : task.undoOn,
        when: task.undoWhen,
        error: task.undoError,
        captured: registers,
        probe: task.probe,
      },
      notifiedBy,
      ...(plan.touches ? { touches: plan.touches } : {}),
    });
    this.#context.fault?.('after-intent', task.id);
    this.#copies = [...copies];
    this.#intentWritten = true;
  }

  #undoesAlways(plan: Plan): boolean {
    const { undo, undoOn } = this.#unit.task;
    if (undo.kind === 'tasks') return undoOn === 'always';
    return undo.kind !== 'none' && plan.undo?.always === true;
  }

  /** Runs the task's `capture` list; the step does not start unless each of them could look. */
  async #capture(): Promise<JsonObject> {
    const { task, scope } = this.#unit;
    const registers: JsonObject = {};
    for (const one of task.capture) {
      const inner = scope.with({ name: 'captured', values: registers, data: true });
      const outcome = await runUnit(this.#context, {
        ...this.#unit,
        task: one,
        scope: inner,
        recorded: false,
      });
      // A non-zero code is an answer (`systemctl is-active`); a line that broke is not.
      if (outcome.state === 'unreachable' || (outcome.rc === undefined && outcome.failed)) {
        throw new TaskError(
          `The state before could not be captured ("${one.name}"): ${outcome.message ?? ''}`,
          {
            hint: 'Nothing was changed by this step.',
          },
        );
      }
      if (one.register !== undefined && outcome.result !== unknownValue)
        registers[one.register] = outcome.result;
    }
    return registers;
  }

  async #perform(
    plan: Plan,
    session: () => Promise<HostSession>,
    readOnly: boolean,
  ): Promise<CommandOutput[]> {
    const { task, step, host, number } = this.#unit;
    const { emit, signal } = this.#context;
    const recorded = !readOnly && this.#unit.recorded;
    const captures = recorded ? this.#copies : [];
    const unit = recorded ? number : undefined;
    const opened = await session();
    const { change } = await opened.exchange(
      { change: { actions: plan.actions, captures, unit, detach: task.detach } },
      {
        timeoutMs: this.limits.timeoutSeconds * 1000,
        signal,
        ...(task.noLog
          ? {}
          : {
              overflow: (stream) => this.#keepOutput(stream),
              onOutput: (text) => {
                emit({ type: 'output', step, host: host.name, text });
              },
            }),
      },
    );
    if (!change) throw new TaskError(`The session gave no answer to the step on "${host.name}".`);
    if (change.refused !== undefined) {
      throw new TaskError(
        `The state before could not be kept on "${host.name}": ${change.refused}.`,
        {
          hint: 'The step was not started. Make room under /var/lib/runner.',
        },
      );
    }
    for (const [path, content] of change.copies ?? [])
      this.#context.captures?.keep({ copyOf: path, unit: number }, content);
    return change.outputs;
  }

  /** The whole of an output that is too long for memory goes to the run's folder. */
  #keepOutput(stream: 'stdout' | 'stderr'): OutputSink | undefined {
    const { keepOutput, emit } = this.#context;
    const { number, host, step } = this.#unit;
    const name = `${String(number)}.${String(this.#attempts)}.${stream}`;
    const kept = keepOutput?.(name);
    if (!kept) return undefined;
    this.#kept.push(kept.path);
    const text = `"${step.name}" on ${host.name} says more on ${stream} than is kept in memory. All of it is in ${kept.path}`;
    emit({ type: 'message', level: 'info', text });
    return kept;
  }

  #holds(conditions: string[], result: JsonObject): boolean {
    const { task, scope } = this.#unit;
    return holdsFor(conditions, task, result, scope);
  }
}

function withEnvironment(plan: Plan, environment: JsonValue): Plan {
  if (!isJsonObject(environment) || Object.keys(environment).length === 0) return plan;
  const env = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, String(value)]),
  );
  return {
    ...plan,
    actions: plan.actions.map((action) =>
      action.kind === 'exec' ? { ...action, env: { ...env, ...action.env } } : action,
    ),
  };
}

/** Whether one of the actions is a change. */
function counts(actions: readonly Action[]): boolean {
  return actions.some((action) => !(action.kind === 'exec' && action.counts === false));
}

function resultOf(outputs: CommandOutput[]): JsonObject {
  const last = outputs.at(-1);
  if (!last) return {};
  const stdout = last.stdout.replace(/\n$/, '');
  return {
    rc: last.code,
    stdout,
    stderr: last.stderr.replace(/\n$/, ''),
    stdout_lines: resultLines(last.stdout),
    ...(last.bytes === undefined
      ? {}
      : { stdout_bytes: last.bytes.stdout, stderr_bytes: last.bytes.stderr }),
  };
}

function failureMessage(action: Action | undefined, output: CommandOutput | undefined): string {
  const what = action ? describeAction(action).split('\n')[0] : 'the action';
  const said = output?.stderr.trim() || output?.stdout.trim() || 'no output';
  return `"${what ?? ''}" ended with code ${String(output?.code ?? -1)}: ${said.split('\n').slice(-5).join('\n')}`;
}

function messageOf(result: JsonObject): string | undefined {
  return typeof result['msg'] === 'string' ? result['msg'] : undefined;
}

export function outputDigest(result: ScopeValue): string | undefined {
  if (result === unknownValue || !isJsonObject(result)) return undefined;
  return createHash('sha256')
    .update(`${String(result['stdout'] ?? '')}\u0000${String(result['stderr'] ?? '')}`)
    .digest('hex');
}
