import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorMessage, PlaybookError, RunnerError, TaskError } from '../core/errors.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { withModules, type Effect, type Module, type Plan } from '../core/module.ts';
import { schemaProblem } from '../util/schema.ts';
import { actionKinds } from '../core/action.ts';
import type { World } from './world.ts';

interface Source {
  file: string;
  code: string;
}

/** Files `modules/*.js` in the directory of a playbook and in its roles. */
export function moduleFiles(
  directories: readonly string[],
  rolePaths: readonly string[],
): string[] {
  const roles = rolePaths.filter((path) => existsSync(path)).flatMap((path) => directoriesIn(path));
  return [...new Set([...directories, ...roles])]
    .map((directory) => join(directory, 'modules'))
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)))
    .filter((file) => file.endsWith('.js'))
    .sort();
}

function directoriesIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(path, name));
}

/**
 * Loads user modules for this command.
 * @throws PlaybookError if a file is not a valid module
 */
export async function addUserModules(world: World, sources: readonly Source[]): Promise<void> {
  if (sources.length === 0) return;
  const added: Module[] = [];
  for (const source of sources) {
    const module = await readModule(source);
    const at = { file: source.file, line: 1, column: 1 };
    if (added.some(({ name }) => name === module.name))
      throw new PlaybookError([{ message: `Two modules are named "${module.name}".`, at }]);
    if (world.builtin.has(module.name))
      throw new PlaybookError([
        { message: `"${module.name}" is the name of a built-in module.`, at },
      ]);
    added.push(module);
  }
  world.modules = withModules(world.builtin, added);
}

export function readSources(files: readonly string[]): Source[] {
  return files.map((file) => ({ file, code: readFileSync(file, 'utf8') }));
}

/**
 * Imports a module from its text, so that the copy in a run directory works like the file. Relative
 * imports are impossible.
 */
async function readModule({ file, code }: Source): Promise<Module> {
  const at = { file, line: 1, column: 1 };
  const refuse = (message: string, hint?: string): never => {
    throw new PlaybookError([
      { message: `${basename(file)} is not a valid module: ${message}`, at, hint },
    ]);
  };
  let exported: unknown;
  try {
    const url = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
    exported = ((await import(url)) as { default?: unknown }).default;
  } catch (error) {
    refuse(
      errorMessage(error),
      'A module is a single JavaScript file that can only import from "node:".',
    );
  }
  const checked = exported;
  if (!isObject(exported)) return refuse('its default export is not an object.');
  const { name, summary, args, effect, plan } = exported;
  const wanted = basename(file, '.js');
  if (name !== wanted) refuse(`its "name" is ${JSON.stringify(name)}, not "${wanted}".`);
  const old = OLD_MEMBERS.filter((member) => member in exported);
  if (old.length > 0) refuse(`it uses the old interface: "${old.join('", "')}".`, NEW_FORM);
  if (typeof summary !== 'string') refuse('it has no "summary".');
  if (!isObject(args) || args['type'] !== 'object' || args['additionalProperties'] !== false)
    refuse('its "args" must be the schema of an object with "additionalProperties: false".');
  const wrong = schemaProblem(args as JsonObject);
  if (wrong !== undefined) refuse(`its "args" are not a valid schema: ${wrong}.`);
  if (typeof effect !== 'function' && !isEffect(effect))
    refuse(`its "effect" is ${JSON.stringify(effect)}.`, EFFECT_HINT);
  if (typeof plan !== 'function') refuse('it has no function "plan".');
  return guarded(checked as Module<JsonObject>, file);
}

const OLD_MEMBERS = [
  ...['schema', 'restore', 'readOnly', 'undoFor', 'undoesAlways', 'again', 'subject', 'finish'],
  ...['secretArgs', 'conditionArgs', 'prepare', 'inCheck', 'waitsForHost', 'internal'],
];

const NEW_FORM =
  'Rename "schema" to "args" and "finish" to "conclude", add "effect: \'restores\'" (or "reads", "changes"), write "plan(args, { host, controller })", and return the undo from it: { actions, undo: { calls: [{ module, args }] } }. See docs/writing-modules.md.';

const effects: readonly Effect[] = ['reads', 'restores', 'passes', 'changes'];
const EFFECT_HINT = `It must be one of ${effects.join(', ')}, or a function of the arguments that returns one.`;

function isEffect(value: unknown): value is Effect {
  return effects.some((effect) => effect === value);
}

/** Turns errors of a user module into failures of the task, and validates its plans. */
function guarded(module: Module<JsonObject>, file: string): Module {
  const failure = (error: unknown): RunnerError => {
    if (error instanceof RunnerError) return error;
    return new TaskError(`Module "${module.name}": ${errorMessage(error)}`, {
      hint: `The module is in ${file}.`,
      cause: error,
    });
  };
  const call = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw failure(error);
    }
  };
  const { effect } = module;
  return {
    ...module,
    effect: typeof effect === 'string' ? effect : (args) => call(() => checkedEffect(effect(args))),
    plan: async (args: JsonObject, sight) => {
      try {
        return checked(await module.plan(args, sight));
      } catch (error) {
        throw failure(error);
      }
    },
    conclude: (answer, args: JsonObject) => call(() => module.conclude?.(answer, args) ?? {}),
  };
}

function checkedEffect(effect: unknown): Effect {
  if (isEffect(effect)) return effect;
  throw new TaskError(`"effect" returned ${JSON.stringify(effect)}.`, {
    hint: EFFECT_HINT,
  });
}

function checked(plan: Plan): Plan {
  if (!isObject(plan) || !Array.isArray(plan.actions))
    throw new TaskError('"plan" must return an object with a list "actions".');
  for (const action of plan.actions as unknown[]) {
    if (isObject(action) && actionKinds.some((kind) => kind === action['kind'])) continue;
    throw new TaskError(`${JSON.stringify(action)} is not an action.`, {
      hint: `Use one of these kinds: ${actionKinds.join(', ')}.`,
    });
  }
  const calls: unknown = plan.undo?.calls;
  const isCall = (one: unknown) =>
    isObject(one) && typeof one['module'] === 'string' && isObject(one['args']);
  if (plan.undo !== undefined && !(Array.isArray(calls) && calls.every(isCall)))
    throw new TaskError('"undo" of a plan must be { calls: [{ module, args }] }.');
  return plan;
}

/** Whether a file of a playbook is a module. */
export function isModuleFile(path: string): boolean {
  return path.endsWith('.js') && basename(dirname(path)) === 'modules';
}
