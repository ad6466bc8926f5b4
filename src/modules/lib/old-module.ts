import {
  resultLines,
  type AddedHost,
  type Controller,
  type Effect,
  type HostCopy,
  type HostFacts,
  type JsonSchema,
  type Module,
  type Plan,
  type PlannedUndo,
  type Question,
  type RunEffect,
  type Sight,
  type UndoCall,
} from '../../core/module.ts';
import type { Action } from '../../core/action.ts';
import type { CommandOutput } from '../../core/fact.ts';
import type { JsonObject } from '../../core/json.ts';

/**
 * The form that modules had before their plan said how it is undone. It goes when the last module has the new one.
 * Nothing new is written in it.
 */
export interface OldModule<A = JsonObject> {
  name: string;
  summary: string;
  schema: JsonSchema;
  readOnly?: boolean;
  shorthand?: string;
  plan(args: A, host: HostView): OldPlan | Promise<OldPlan>;
  restore?(args: A, host: HostView, captured: CapturePath): Promise<UndoCall[] | undefined>;
  undoesAlways?(args: A): boolean;
  undoFor?(args: JsonObject): 'auto' | 'none' | 'uncovered';
  again?(args: A): JsonObject;
  subject?: string;
  inCheck?(args: A): A;
  waitsForHost?(args: A): { seconds: number; pauseSeconds: number; delaySeconds: number };
  finish?(result: JsonObject, args: A): JsonObject;
}

export interface OldPlan {
  actions: Action[];
  readOnly?: boolean;
  result?: JsonObject;
  diff?: Plan['diff'];
  capture?: string[];
  pauseSeconds?: number;
  question?: Question;
  document?: { title: string; text: string; inCheckMode?: boolean };
  setFacts?: JsonObject;
  joinGroups?: string[];
  leaveGroups?: string[];
  addHosts?: AddedHost[];
}

export type CapturePath = (path: string) => HostCopy;

export interface HostView extends HostFacts {
  controllerFile: Controller['file'];
  controllerFileInfo: Controller['fileInfo'];
  controllerFolder: Controller['folder'];
  controllerArchive: Controller['archive'];
  localChecksum: Controller['checksum'];
  keptCopy: Controller['keptCopy'];
  renderTemplate: Controller['render'];
  request: Controller['request'];
}

/** What a module of the old form sees. */
export function hostView({ host, controller }: Sight): HostView {
  return {
    name: host.name,
    wantsDiff: host.wantsDiff,
    fact: (fact, ...params) => host.fact(fact, ...params),
    copyOf: (path) => host.copyOf(path),
    controllerFile: (path) => controller.file(path),
    controllerFileInfo: (path) => controller.fileInfo(path),
    controllerFolder: (path) => controller.folder(path),
    controllerArchive: (path) => controller.archive(path),
    localChecksum: (path) => controller.checksum(path),
    keptCopy: (path) => controller.keptCopy(path),
    renderTemplate: (path) => controller.render(path),
    request: (request) => controller.request(request),
  };
}

/** A module of the old form in the new one. */
export function adapt(module: Module | OldModule): Module {
  if (!('schema' in module)) return module;
  const { name, summary, shorthand, schema } = module;
  return {
    name,
    summary,
    ...(shorthand === undefined ? {} : { shorthand }),
    args: schema,
    effect: (args) => effectOfOld(module, args),
    plan: (given: JsonObject, sight) => planOld(module, given, sight),
    conclude: (answer: readonly CommandOutput[], args: JsonObject) => {
      const { changed, ...result } = module.finish?.(lastAnswer(answer), args) ?? {};
      return { result, ...(changed === false ? { changed } : {}) };
    },
  };
}

function effectOfOld(module: OldModule, args: JsonObject): Effect {
  if (module.readOnly || args['read_only'] === true) return 'reads';
  const undo = module.undoFor?.(args);
  if (module.restore) return undo === 'uncovered' ? 'changes' : 'restores';
  return undo === 'none' ? 'passes' : 'changes';
}

async function planOld(module: OldModule, given: JsonObject, sight: Sight): Promise<Plan> {
  const args = (sight.once ? module.inCheck?.(given) : undefined) ?? given;
  const view = hostView(sight);
  const plan = await module.plan(args, view);
  const { actions, result, diff } = plan;
  const always = module.undoesAlways?.(args) === true;
  const undo = actions.length > 0 || always ? await undoOfOld(module, args, view) : undefined;
  const run = [...effectsOf(plan), ...awaitHost(module, args)];
  return {
    actions,
    ...(result ? { result } : {}),
    ...(diff ? { diff } : {}),
    ...(undo ? { undo: { ...undo, ...(always ? { always } : {}) } } : {}),
    ...(module.subject === undefined ? {} : { touches: [module.subject] }),
    ...(run.length > 0 ? { run } : {}),
  };
}

async function undoOfOld(
  module: OldModule,
  args: JsonObject,
  view: HostView,
): Promise<PlannedUndo | undefined> {
  const again = module.again?.(args);
  const rerun = again ? { rerun: { module: module.name, args: again } } : {};
  const calls = await module.restore?.(args, view, (path) => view.copyOf(path));
  if (!calls) return again ? { calls: [], ...rerun } : undefined;
  return { calls, ...rerun };
}

function effectsOf(plan: OldPlan): RunEffect[] {
  const { pauseSeconds, question, document, setFacts, joinGroups, leaveGroups, addHosts } = plan;
  return [
    ...(pauseSeconds === undefined ? [] : [{ kind: 'pause' as const, seconds: pauseSeconds }]),
    ...(question ? [{ kind: 'ask' as const, question }] : []),
    ...(document ? [{ kind: 'show' as const, ...document }] : []),
    ...(setFacts ? [{ kind: 'set-facts' as const, facts: setFacts }] : []),
    ...(joinGroups
      ? [
          {
            kind: 'join-groups' as const,
            groups: joinGroups,
            ...(leaveGroups ? { leave: leaveGroups } : {}),
          },
        ]
      : []),
    ...(addHosts ?? []).map((host) => ({ kind: 'add-host' as const, host })),
  ];
}

function awaitHost(module: OldModule, args: JsonObject): RunEffect[] {
  const patience = module.waitsForHost?.(args);
  return patience ? [{ kind: 'await-host', ...patience }] : [];
}

function lastAnswer(answer: readonly CommandOutput[]): JsonObject {
  const last = answer.at(-1);
  if (!last) return {};
  return {
    rc: last.code,
    stdout: last.stdout.replace(/\n$/, ''),
    stderr: last.stderr.replace(/\n$/, ''),
    stdout_lines: resultLines(last.stdout),
  };
}
