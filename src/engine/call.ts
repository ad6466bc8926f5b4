import { fieldsAsWritten } from '../core/value.ts';
import type { Action, HttpRequest, HttpResponse } from '../core/action.ts';
import {
  ConnectError,
  InternalError,
  type RunnerError,
  TaskError,
  TimeoutError,
  UnknownValueError,
} from '../core/errors.ts';
import type { StepInfo } from '../core/states.ts';
import type { CommandOutput } from '../core/fact.ts';
import { commandFailure, failureOf, failureText, type Failure } from '../core/failure.ts';
import type { HostSession, KeptOutput, OutputSink } from '../core/host.ts';
import type { InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { effectOf, resultLines, type Module, type Plan } from '../core/module.ts';
import { messageIn, needsRealRun, type Outcome } from '../core/outcome.ts';
import type { TaskNode } from '../language/document.ts';
import type { Scope } from '../template/scope.ts';
import { trace } from '../util/trace.ts';
import { renderArguments, withoutOmitted } from './arguments.ts';
import type { Reach, Signals, Stop } from './services.ts';
import { hostError } from './host-error.ts';
import { FACT_TIMEOUT_MS, type Sessions } from './sessions.ts';
import type { RunSettings } from './settings.ts';
import { ControllerFiles } from './controller-files.ts';
import { SessionHostView } from './host-view.ts';
import { timeoutOf } from './limits.ts';
import { actOnRun, runEffect } from './run-effects.ts';
import { TargetLine } from './target-line.ts';
import { undoesAlways } from './undo-plan.ts';

/** One call of a task's module on one host. */
export interface Call {
  task: TaskNode;
  /** Step that displays show the call under. */
  step: StepInfo;
  host: InventoryHost;
  /** Where the call runs: the host itself, or the host it is delegated to. */
  target: InventoryHost;
  scope: Scope;
  /** Directories for templates and files, nearest first. */
  directories: string[];
  mode: CallMode;
  /** Starts at 1. */
  attempt: number;
  /** Prefix of the names of files for outputs that are too long for memory. */
  outputs: string;
  /** Records the change before it starts; undefined if the caller does that. */
  change: ChangeRecord | undefined;
}

/**
 * `check`: the run is in check mode. `simulated`: a task with `check_mode: true` in a real run.
 * Neither changes a host.
 */
export type CallMode = 'real' | 'check' | 'simulated';

/** Records a change before it starts. */
export interface ChangeRecord {
  /** Number of the unit. */
  readonly unit: number;
  /** Paths that the host copies before the change; undefined until the change is recorded. */
  readonly copies: readonly string[] | undefined;
  /** Does nothing if an earlier attempt recorded the change. */
  begin(planned: PlannedCall): Promise<void>;
}

export interface PlannedCall {
  module: Module;
  args: JsonObject;
  plan: Plan;
  /** Opens the session on first use. */
  session: () => Promise<HostSession>;
}

export interface CallResult {
  outcome: Outcome;
  /** Rendered arguments; as written in the playbook if rendering failed. */
  args: JsonObject;
  plan: Plan | undefined;
}

/** Services that a call needs. */
export interface CallParts extends Reach, Sessions, Stop, Signals {
  settings: Pick<RunSettings, 'becomePassword' | 'check' | 'diff'>;
}

/**
 * Calls a module on a host once: renders its arguments, plans, acts and concludes. The caller
 * evaluates conditions on the result, retries and records.
 *
 * @throws JournalError; any other error becomes an outcome
 */
export async function call(parts: CallParts, asked: Call): Promise<CallResult> {
  try {
    return await carryOut(parts, asked);
  } catch (error) {
    return endedBy(error, asked);
  }
}

/** The result of a call that ended with an error. @throws JournalError */
export function endedBy(
  error: unknown,
  { task, change }: Pick<Call, 'task' | 'change'>,
): CallResult {
  const outcome = outcomeOf(hostError(error, task), change);
  return { outcome, args: fieldsAsWritten(task.args), plan: undefined };
}

function outcomeOf(error: RunnerError, change: ChangeRecord | undefined): Outcome {
  if (error instanceof UnknownValueError) return needsRealRun;
  const failure = failureOf(error, { place: false });
  const result: JsonObject = { failed: true, changed: false, msg: failureText(failure) ?? '' };
  if (error instanceof ConnectError)
    return { is: 'unreachable', failure, result: { ...result, unreachable: true } };
  const isUnfinished = error instanceof TimeoutError || error instanceof InternalError;
  if (isUnfinished && change?.copies !== undefined) return { is: 'unknown', failure, result };
  return { is: 'failed', failure, result, changed: false };
}

async function carryOut(parts: CallParts, asked: Call): Promise<CallResult> {
  const { task, step, host, scope, attempt, change } = asked;
  const module = parts.modules.get(task.module);
  if (!module) throw new TaskError(`Module "${task.module}" is not available.`);
  const timeoutMs = timeoutOf(task, scope) * 1000;
  const args = renderArguments(task, module, scope);
  trace('template', () => {
    const text = task.noLog ? '(hidden by no_log)' : JSON.stringify(args);
    return `${host.name} ${task.id}: ${task.module} ${text}`;
  });
  const check = asked.mode !== 'real';
  // Opened on first use: a step that does not query the host needs no connection.
  const line = new TargetLine(parts, asked);
  const session = () => line.session();
  const plan = await planCall(parts, asked, { module, args, session, timeoutMs });
  const patience = runEffect(plan, 'await-host');
  if (patience) await line.await(patience, { check });
  const readOnly = task.readOnly || effectOf(module, args) === 'reads';
  await actOnRun(parts, plan, { check, key: `${String(step.number)}_${String(attempt)}` });
  const end = (outcome: Outcome): CallResult => ({ outcome, args, plan });
  if (runEffect(plan, 'ask') && check) return end(needsRealRun);
  // A step whose undo always runs is recorded even if it changes nothing.
  const always = !check && change !== undefined && undoesAlways(task, plan);
  if (plan.actions.length === 0 && !always) return end(done(plan.result));
  if (check && !readOnly)
    return end({ is: 'predicted', change: counts(plan.actions), result: { ...plan.result } });
  const planned = { module, args, plan, session };
  if (!readOnly || always) await change?.begin(planned);
  if (plan.actions.length === 0) return end(done(plan.result));
  const { outputs, kept } = await perform(parts, asked, { plan, session, readOnly, timeoutMs });
  return end(conclude(planned, { outputs, kept, readOnly }));
}

function done(result: JsonObject | undefined): Outcome {
  return { is: 'ok', result: { ...result } };
}

async function planCall(
  parts: CallParts,
  asked: Call,
  { module, args, session, timeoutMs }: Omit<PlannedCall, 'plan'> & { timeoutMs: number },
): Promise<Plan> {
  const { task, host, scope, directories } = asked;
  const { files, random, settings, signal, sendHttp, decrypt, copies } = parts;
  const facts = new SessionHostView({
    name: host.name,
    session,
    signal,
    // A longer "timeout" of the task also applies to reading facts.
    factTimeoutMs:
      task.timeoutSeconds === undefined ? FACT_TIMEOUT_MS : Math.max(FACT_TIMEOUT_MS, timeoutMs),
    wantsDiff: settings.diff && task.showDiff,
  });
  const controller = new ControllerFiles({
    files,
    random,
    scope,
    directories,
    request: task.noLog ? (request) => sendQuietly(sendHttp, request) : sendHttp,
    decrypt,
    keptCopy: (copy) => copies?.read(copy),
  });
  // The arguments match the schema of the module.
  const plan = await module.plan(args as never, {
    host: facts,
    controller,
    once: asked.mode !== 'real',
  });
  if (controller.sawSecret) delete plan.diff;
  return withEnvironment(plan, withoutOmitted(scope.render(task.environment)));
}

/**
 * Sends a request of a `no_log` task. Its path may contain hidden values, so an error names only
 * the host.
 */
async function sendQuietly(
  sendHttp: CallParts['sendHttp'],
  request: HttpRequest,
): Promise<HttpResponse> {
  try {
    return await sendHttp(request);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const { host, stage, retryable } = error;
    const message = `No answer from ${new URL(request.url).origin}; the rest is hidden by no_log.`;
    throw new ConnectError(message, { host, stage, retryable });
  }
}

async function perform(
  parts: CallParts,
  asked: Call,
  {
    plan,
    session,
    readOnly,
    timeoutMs,
  }: Pick<PlannedCall, 'plan' | 'session'> & { readOnly: boolean; timeoutMs: number },
): Promise<{ outputs: CommandOutput[]; kept: string[] }> {
  const { task, step, host } = asked;
  const { log, signal, copies } = parts;
  const record = readOnly ? undefined : asked.change;
  const kept: KeptOutput[] = [];
  const opened = await session();
  const { change } = await opened.exchange(
    {
      change: {
        actions: plan.actions,
        copies: record?.copies ?? [],
        unit: record?.unit,
        detach: task.detach,
      },
    },
    {
      timeoutMs,
      signal,
      ...(task.noLog
        ? {}
        : {
            overflow: (stream) => keepOutput(parts, asked, stream, kept),
            onOutput: ({ text, stream, isCut }) => {
              const of = `${outputNames(asked)}.${stream}`;
              log.signal({ t: 'output', step, host: host.name, of, text, isCut });
            },
          }),
    },
  );
  if (!change)
    throw new TaskError(`The session on "${host.name}" returned no result for the step.`);
  if (change.refused !== undefined) {
    throw new TaskError(`Cannot save the previous state on "${host.name}": ${change.refused}.`, {
      hint: 'Free space under /var/lib/runner. The step was not started.',
    });
  }
  if (record)
    for (const [path, content] of change.copies ?? [])
      copies?.keep({ copyOf: path, unit: record.unit }, content);
  return { outputs: change.outputs, kept: wholeOf(parts, asked, kept) };
}

/** Opens a file in the directory of the run for an output that is too long for memory. */
function keepOutput(
  { keepOutput, log }: CallParts,
  asked: Call,
  stream: 'stdout' | 'stderr',
  kept: KeptOutput[],
): OutputSink | undefined {
  const { host, step } = asked;
  const sink = keepOutput?.(`${outputNames(asked)}.${stream}`);
  if (!sink) return undefined;
  kept.push(sink);
  if (sink.failed) return undefined;
  const text = `"${step.name}" on ${host.name} wrote more to ${stream} than is kept in memory. The full output goes to ${sink.path}.`;
  log.signal({ t: 'message', level: 'info', text });
  return sink;
}

/** Paths of the outputs that were written completely. Warns about the others. */
function wholeOf({ log }: CallParts, { host, step }: Call, kept: readonly KeptOutput[]): string[] {
  for (const { path } of kept.filter(({ failed }) => failed)) {
    const text = `Cannot write the full output of "${step.name}" on ${host.name} to ${path}.`;
    log.signal({ t: 'message', level: 'warning', text });
  }
  return kept.filter(({ failed }) => !failed).map(({ path }) => path);
}

/** A name that is unique for the call, such as UNIT.ATTEMPT. */
function outputNames({ outputs, attempt }: Call): string {
  return `${outputs}.${String(attempt)}`;
}

/** Derives the outcome of a call from the outputs of its actions. */
function conclude(
  { module, args, plan }: PlannedCall,
  { outputs, kept, readOnly }: { outputs: CommandOutput[]; kept: string[]; readOnly: boolean },
): Outcome {
  const conclusion = module.conclude?.(outputs, args as never);
  const result: JsonObject = { ...plan.result, ...valuesOf(outputs), ...conclusion?.result };
  if (kept.length > 0) result['output_files'] = kept;
  const changed = !readOnly && counts(plan.actions) && conclusion?.changed !== false;
  const last = outputs.at(-1);
  if (last?.code === 0) return { is: changed ? 'changed' : 'ok', result };
  const failure: Failure = commandFailure(
    plan.actions[outputs.length - 1],
    last,
    messageIn(result),
  );
  result['msg'] ??= failureText(failure) ?? '';
  return { is: 'failed', failure, result, changed };
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

/** Whether at least one of the actions counts as a change. */
function counts(actions: readonly Action[]): boolean {
  return actions.some((action) => !(action.kind === 'exec' && action.counts === false));
}

function valuesOf(outputs: CommandOutput[]): JsonObject {
  const last = outputs.at(-1);
  if (!last) return {};
  return {
    rc: last.code,
    stdout: last.stdout.replace(/\n$/, ''),
    stderr: last.stderr.replace(/\n$/, ''),
    stdout_lines: resultLines(last.stdout),
    ...(last.bytes === undefined
      ? {}
      : { stdout_bytes: last.bytes.stdout, stderr_bytes: last.bytes.stderr }),
  };
}
