import { exitCodes } from '../core/events.ts';
import { UsageError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { helpers } from '../template/helpers.ts';
import { didYouMean } from '../util/text.ts';
import type { World } from './world.ts';

interface Property {
  type?: string | string[];
  enum?: unknown[];
  description?: string;
}

/** `runner doc [MODULE|helpers]`: from the same schemas that check the arguments. */
export function docCommand(world: World, argv: string[]): number {
  const [name] = argv.filter((word) => !word.startsWith('-'));
  const modules = [...world.modules.values()].filter(({ internal }) => internal !== true);
  if (name === undefined) {
    for (const module of modules.sort((a, b) => a.name.localeCompare(b.name))) {
      world.stdout.write(`${module.name.padEnd(16)} ${module.summary}\n`);
    }
    return exitCodes.done;
  }
  if (name === 'helpers') {
    world.stdout.write(`${Object.keys(helpers).sort().join('\n')}\n`);
    return exitCodes.done;
  }
  const module = modules.find((one) => one.name === name);
  if (!module) {
    throw new UsageError(`There is no module "${name}".`, {
      hint:
        didYouMean(
          name,
          modules.map((one) => one.name),
        ) || 'List them with: runner doc.',
    });
  }
  world.stdout.write(`${moduleText(module)}\n`);
  return exitCodes.done;
}

function moduleText(module: Module): string {
  const properties = (module.schema['properties'] ?? {}) as Record<string, Property>;
  const required = (module.schema['required'] ?? []) as string[];
  const undo =
    module.readOnly === true
      ? 'not needed, it only reads'
      : module.restore
        ? 'automatic'
        : 'must be declared with "undo:"';
  const lines = [`${module.name}: ${module.summary}`, `Undo: ${undo}.`, ''];
  for (const [name, { type, enum: choices, description }] of Object.entries(properties)) {
    const kind = choices
      ? choices.join(' | ')
      : Array.isArray(type)
        ? type.join(' | ')
        : (type ?? 'any');
    lines.push(
      `  ${name}${required.includes(name) ? ' (required)' : ''}: ${kind}`,
      `      ${description ?? ''}`,
    );
  }
  return lines.join('\n');
}
