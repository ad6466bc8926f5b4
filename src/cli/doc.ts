import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { exitCodes } from '../core/events.ts';
import { UsageError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { helpers } from '../template/helpers.ts';
import { packageRoot } from '../util/package.ts';
import { didYouMean } from '../util/text.ts';
import { flagOf } from './inputs.ts';
import { openPlaybook } from './playbooks.ts';
import type { World } from './world.ts';

interface Property {
  type?: string | string[];
  enum?: unknown[];
  description?: string;
}

/** `runner doc [MODULE|ROLE|PLAYBOOK|helpers]`: from what checks the arguments, so that it cannot be stale. */
export function docCommand(world: World, argv: string[]): number {
  const [name] = argv.filter((word) => !word.startsWith('-'));
  const say = (lines: string[]): number => {
    world.stdout.write(`${lines.join('\n')}\n`);
    return exitCodes.done;
  };
  const modules = [...world.modules.values()]
    .filter(({ internal }) => internal !== true)
    .sort((a, b) => a.name.localeCompare(b.name));
  if (name === undefined)
    return say(modules.map((module) => `${module.name.padEnd(20)} ${module.summary}`));
  if (name === 'helpers') return say(Object.keys(helpers).sort());
  const module = modules.find((one) => one.name === name);
  if (module) return say(moduleLines(module));
  const meta = ['roles', join(packageRoot(), 'roles')]
    .map((folder) => join(folder, name, 'meta', 'main.yml'))
    .find((file) => existsSync(file));
  if (meta !== undefined) return say(roleLines(name, meta));
  if (/\.ya?ml$/.test(name)) return say(playbookLines(world, name));
  const known = modules.map((one) => one.name);
  throw new UsageError(`There is no module, role or playbook "${name}".`, {
    hint: didYouMean(name, known) || 'List the modules with: runner doc.',
  });
}

function moduleLines(module: Module): string[] {
  const properties = (module.schema['properties'] ?? {}) as Record<string, Property>;
  const required = (module.schema['required'] ?? []) as string[];
  const undo = module.readOnly
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
  return lines;
}

interface RoleMeta {
  description?: string;
  inputs?: Record<
    string,
    { type?: string; default?: unknown; required?: boolean; description?: string }
  >;
}

function roleLines(name: string, file: string): string[] {
  const { description = '', inputs = {} } = parse(readFileSync(file, 'utf8')) as RoleMeta;
  const lines = [`${name}: ${description}`, ''];
  for (const [input, spec] of Object.entries(inputs)) {
    const fallback = spec.required ? 'required' : `default ${JSON.stringify(spec.default)}`;
    lines.push(`  ${input}: ${spec.type ?? 'any'}, ${fallback}`, `      ${spec.description ?? ''}`);
  }
  return lines;
}

function playbookLines(world: World, name: string): string[] {
  const playbook = openPlaybook(world, name);
  const lines = [playbook.name, '', 'Inputs:'];
  for (const { name: input, description, required } of playbook.inputs) {
    lines.push(`  ${flagOf(input)}${required ? ' (required)' : ''}`, `      ${description}`);
  }
  lines.push('', 'Plays:', ...playbook.plays.map((play) => `  ${play.name} (${play.hosts})`));
  return lines;
}
