import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { exitCodes } from '../../core/states.ts';
import { UsageError } from '../../core/errors.ts';
import type { JsonSchema, Module } from '../../core/module.ts';
import { keywords } from '../../language/keywords.ts';
import type { Keyword } from '../../language/table.ts';
import { helperDocs } from '../../template/helper-docs.ts';
import { packageRoot } from '../../util/package.ts';
import { didYouMean } from '../../util/text.ts';
import { newCommand } from '../command.ts';
import { flagOf } from '../flags/inputs.ts';
import { readPlaybook } from '../playbooks.ts';
import { publicModules, typeOf, undoOf, writeReference, writeSchemas } from '../reference.ts';
import type { World } from '../world.ts';

interface DocFlags {
  write?: string;
  schemas?: string;
}

/**
 * `runner doc [NAME]`: prints the documentation from the tables and schemas that also validate
 * playbooks.
 */
export function docCommand(world: World, argv: string[]): number {
  const command = newCommand(world, 'runner doc')
    .description(
      'Describe a module, keyword, helper, role or playbook. Without a name, list the modules.',
    )
    .argument('[name]', 'what to describe; "keywords" and "helpers" list these')
    .option('--write <DIRECTORY>', 'write the whole reference as Markdown')
    .option('--schemas <DIRECTORY>', 'write the JSON Schemas for editors');
  command.parse(argv, { from: 'user' });
  const { write, schemas } = command.opts<DocFlags>();
  if (write !== undefined) writeReference(world, write);
  if (schemas !== undefined) writeSchemas(world, schemas);
  if (write !== undefined || schemas !== undefined) return exitCodes.done;
  world.stdout.write(`${linesFor(world, command.args[0]).join('\n')}\n`);
  return exitCodes.done;
}

function linesFor(world: World, name: string | undefined): string[] {
  const modules = publicModules(world);
  if (name === undefined)
    return modules.map((module) => `${module.name.padEnd(20)} ${module.summary}`);
  if (name === 'helpers')
    return Object.entries(helperDocs)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([helper, { summary, example }]) => `${helper.padEnd(14)} ${summary}  ${example}`);
  if (name === 'keywords') return [...new Set(keywords.map((keyword) => keyword.name))].sort();
  const module = modules.find((one) => one.name === name);
  if (module) return moduleLines(module);
  const words = keywords.filter((keyword) => keyword.name === name);
  if (words.length > 0) return words.flatMap(keywordLines);
  const helper = Object.hasOwn(helperDocs, name) ? helperDocs[name] : undefined;
  if (helper)
    return [
      `${name}: ${helper.summary}`,
      '',
      `  ${helper.example}  returns  ${JSON.stringify(helper.result)}`,
    ];
  const meta = ['roles', join(packageRoot(), 'roles')]
    .map((directory) => join(directory, name, 'meta', 'main.yml'))
    .find((file) => existsSync(file));
  if (meta !== undefined) return roleLines(name, meta);
  if (/\.ya?ml$/.test(name)) return playbookLines(world, name);
  const known = [...modules, ...keywords].map((one) => one.name).concat(Object.keys(helperDocs));
  throw new UsageError(`There is no module, keyword, helper, role or playbook "${name}".`, {
    hint: didYouMean(name, known) || 'List the modules with: runner doc.',
  });
}

function keywordLines({ name, on, description }: Keyword): string[] {
  return [`${name}: ${description}`, `Allowed in: ${on.join(', ')}.`];
}

function moduleLines(module: Module): string[] {
  const properties = (module.args['properties'] ?? {}) as Record<string, JsonSchema>;
  const required = (module.args['required'] ?? []) as string[];
  const lines = [`${module.name}: ${module.summary}`, `Undo: ${undoOf(module)}.`, ''];
  for (const [name, schema] of Object.entries(properties)) {
    const { description } = schema;
    lines.push(
      `  ${name}${required.includes(name) ? ' (required)' : ''}: ${typeOf(schema)}`,
      `      ${typeof description === 'string' ? description : ''}`,
    );
  }
  const example = join(packageRoot(), 'examples', 'modules', `${module.name}.yml`);
  if (existsSync(example)) lines.push('', 'Example:', '', readFileSync(example, 'utf8').trimEnd());
  return lines;
}

interface RoleMeta {
  description?: string;
  inputs?: Record<
    string,
    { type?: string; default?: unknown; required?: boolean; description?: string; removed?: string }
  >;
}

function roleLines(name: string, file: string): string[] {
  const { description = '', inputs = {} } = parse(readFileSync(file, 'utf8')) as RoleMeta;
  const lines = [`${name}: ${description}`, ''];
  for (const [input, spec] of Object.entries(inputs)) {
    if (spec.removed !== undefined) continue;
    const fallback = spec.required ? 'required' : `default ${JSON.stringify(spec.default)}`;
    lines.push(`  ${input}: ${spec.type ?? 'any'}, ${fallback}`, `      ${spec.description ?? ''}`);
  }
  return lines;
}

function playbookLines(world: World, name: string): string[] {
  const playbook = readPlaybook(world, name);
  const lines = [playbook.name, '', 'Inputs:'];
  for (const { name: input, description, required } of playbook.inputs) {
    lines.push(`  ${flagOf(input)}${required ? ' (required)' : ''}`, `      ${description}`);
  }
  lines.push('', 'Plays:', ...playbook.plays.map((play) => `  ${play.name} (${play.hosts})`));
  return lines;
}
