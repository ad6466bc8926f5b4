import { TaskError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { OMIT } from '../core/value.ts';
import { markedArguments, type Module } from '../core/module.ts';
import type { TaskNode } from '../language/document.ts';
import type { Scope } from '../template/scope.ts';
import { coerceRendered, validateValue } from '../util/schema.ts';

/**
 * Renders and converts the arguments of a task.
 *
 * @throws TaskError when they do not match the schema of the module
 */
export function renderArguments(task: TaskNode, module: Module, scope: Scope): JsonObject {
  const kept = withoutOmitted(scope.renderArgument(task.args) as JsonObject) as JsonObject;
  const args = coerceRendered(module.args, kept, task.args);
  const problems = validateValue(module.args, args);
  if (problems.length === 0) return args;
  const text = problems.map(({ message, hint }) => `${message}${hint ? ` ${hint}` : ''}`).join(' ');
  throw new TaskError(`Module "${task.module}": ${text}`, { at: task.argsAt });
}

/** The arguments that the journal may record: all except secret ones. */
export function recordedArguments(module: Module, args: JsonObject): JsonObject {
  const hidden = markedArguments(module, 'secret', true);
  return Object.fromEntries(Object.entries(args).filter(([name]) => !hidden.includes(name)));
}

/** Removes values that are `{{omit}}`, also inside lists and maps. */
export function withoutOmitted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.filter(isGiven).map(withoutOmitted);
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(([, one]) => isGiven(one));
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutOmitted(one)]));
}

function isGiven(value: unknown): boolean {
  return value !== OMIT;
}
