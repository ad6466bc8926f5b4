import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorMessage, PlaybookError, RunnerError, TaskError } from '../core/errors.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { withModules, type Module } from '../core/module.ts';
import { adapt, type HostView, type OldModule, type OldPlan } from '../modules/lib/old-module.ts';
import { schemaProblem } from '../util/schema.ts';
import { actionKinds } from '../core/action.ts';
import type { World } from './world.ts';

interface Source {
  file: string;
  code: string;
}

/** Files `modules/*.js` beside a playbook and in its roles. */
export function moduleFiles(folders: readonly string[], rolePaths: readonly string[]): string[] {
  const roles = rolePaths.filter((path) => existsSync(path)).flatMap((path) => foldersIn(path));
  return [...new Set([...folders, ...roles])]
    .map((folder) => join(folder, 'modules'))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((file) => file.endsWith('.js'))
    .sort();
}

function foldersIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(path, name));
}

/**
 * Makes modules that somebody wrote known to this call.
 * @throws PlaybookError for one that is none
 */
export async function addUserModules(world: World, sources: readonly Source[]): Promise<void> {
  if (sources.length === 0) return;
  const added: Module[] = [];
  for (const source of sources) {
    const module = await readModule(source);
    const at = { file: source.file, line: 1, column: 1 };
    if (added.some(({ name }) => name === module.name))
      throw new PlaybookError([{ message: `There are two modules "${module.name}".`, at }]);
    if (world.builtin.has(module.name))
      throw new PlaybookError([{ message: `"${module.name}" is a module of runner itself.`, at }]);
    added.push(module);
  }
  world.modules = withModules(world.builtin, added);
}

export function readSources(files: readonly string[]): Source[] {
  return files.map((file) => ({ file, code: readFileSync(file, 'utf8') }));
}

/** Taken from the text, not the file: the copy that a run keeps works as the file did. It can import nothing beside it. */
async function readModule({ file, code }: Source): Promise<Module> {
  const at = { file, line: 1, column: 1 };
  const refuse = (message: string, hint?: string): never => {
    throw new PlaybookError([{ message: `${basename(file)} is no module: ${message}`, at, hint }]);
  };
  let exported: unknown;
  try {
    const url = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
    exported = ((await import(url)) as { default?: unknown }).default;
  } catch (error) {
    refuse(
      errorMessage(error),
      'A module is one file of JavaScript; it may import from node: only.',
    );
  }
  if (!isObject(exported)) return refuse('it has no default export that is an object.');
  const { name, summary, schema, plan } = exported;
  const wanted = basename(file, '.js');
  if (name !== wanted) refuse(`its "name" is ${JSON.stringify(name)}, not "${wanted}".`);
  if (typeof summary !== 'string') refuse('it has no "summary".');
  if (!isObject(schema) || schema['type'] !== 'object' || schema['additionalProperties'] !== false)
    refuse('its "schema" must be one of an object with "additionalProperties: false".');
  const wrong = schemaProblem(schema as JsonObject);
  if (wrong !== undefined) refuse(`its "schema" does not hold: ${wrong}.`);
  if (typeof plan !== 'function') refuse('it has no function "plan".');
  return adapt(guarded(exported as unknown as OldModule, file));
}

/** What such a module throws is a failure of its task, and what it returns must be actions. */
function guarded(module: OldModule, file: string): OldModule {
  const call = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RunnerError) throw error;
      throw new TaskError(`Module "${module.name}": ${errorMessage(error)}`, {
        hint: `It is ${file}.`,
        cause: error,
      });
    }
  };
  return {
    ...module,
    plan: (args: JsonObject, host: HostView) =>
      call(async () => checked(await module.plan(args, host))),
    ...(module.restore
      ? { restore: (args, host, captured) => call(() => module.restore?.(args, host, captured)) }
      : {}),
  };
}

function checked(plan: OldPlan): OldPlan {
  if (!isObject(plan) || !Array.isArray(plan.actions))
    throw new TaskError('"plan" must give an object with a list "actions".');
  for (const action of plan.actions as unknown[]) {
    if (isObject(action) && actionKinds.some((kind) => kind === action['kind'])) continue;
    throw new TaskError(`${JSON.stringify(action)} is no action.`, {
      hint: `Kinds: ${actionKinds.join(', ')}.`,
    });
  }
  return plan;
}

/** The folder of a role or playbook that a module file belongs to. */
export function isModuleFile(path: string): boolean {
  return path.endsWith('.js') && basename(dirname(path)) === 'modules';
}
