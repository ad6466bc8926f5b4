import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { arrayOf, isObject, objectOf, type JsonObject } from '../core/json.ts';
import { effectOf, type JsonSchema, type Module } from '../core/module.ts';
import { editorSchemas } from '../language/schema.ts';
import { keywordsUsed, type KeywordUse } from './keyword-use.ts';
import { keywords, keywordsOn } from '../language/keywords.ts';
import { places } from '../language/table.ts';
import { findingSchemas } from '../mke/findings/schemas.ts';
import { settingsPage } from '../mke/settings-page.ts';
import { exampleVariables, helperDocs } from '../template/helper-docs.ts';
import { packageRoot } from '../util/package.ts';
import { flagOf } from './flags/inputs.ts';
import { readPlaybook } from './playbooks.ts';
import type { World } from './world.ts';

/** Pages of the reference, by path below its folder; made from what checks playbooks, so that they cannot be stale. */
export function referencePages(world: World): Record<string, string> {
  const modules = publicModules(world);
  const pages: Record<string, string> = {
    'README.md': indexPage(modules),
    'keywords.md': keywordsPage(),
    'helpers.md': helpersPage(),
    'roles.md': rolesPage(join(packageRoot(), 'roles')),
    'playbooks.md': playbooksPage(world),
    'mke3-settings.md': MADE + settingsPage(),
  };
  for (const module of modules) pages[`modules/${module.name}.md`] = modulePage(module);
  return pages;
}

/** `runner doc --write FOLDER` and `--schemas FOLDER`. Files of earlier versions go. */
export function writeReference(world: World, folder: string): void {
  rmSync(join(folder, 'modules'), { recursive: true, force: true });
  for (const [name, text] of Object.entries(referencePages(world))) write(join(folder, name), text);
}

/** JSON Schemas for editors and for programs that read what runner writes, by the name of the file. */
export function publishedSchemas(world: World): Record<string, JsonSchema> {
  return { ...editorSchemas(publicModules(world)), ...findingSchemas };
}

export function writeSchemas(world: World, folder: string): void {
  for (const [name, schema] of Object.entries(publishedSchemas(world)))
    write(join(folder, name), `${JSON.stringify(schema, undefined, 2)}\n`);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

export function publicModules({ modules }: Pick<World, 'modules'>): Module[] {
  return [...modules.values()]
    .filter(({ name }) => !modules.undoOnly.has(name))
    .sort((a, b) => a.name.localeCompare(b.name));
}

const MADE = '<!-- Made by "npm run reference"; change the source instead. -->\n\n';

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) =>
    row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')),
  );
  const lines = [head, head.map(() => '---'), ...escaped].map((row) => `| ${row.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

const code = (text: string): string => `\`${text}\``;

function indexPage(modules: readonly Module[]): string {
  const rows = modules.map((module) => [
    `[${module.name}](modules/${module.name}.md)`,
    module.summary,
    undoOf(module),
  ]);
  return `${MADE}# Reference

[Keywords](keywords.md), [helpers of templates](helpers.md), [roles](roles.md), [playbooks](playbooks.md), [settings of MKE 3](mke3-settings.md). What it all means together: [language](../language.md), [undo](../rollback.md).
The same in a terminal: \`runner doc\`.

## Modules

${table(['module', 'does', 'undo'], rows)}`;
}

export function undoOf(module: Module): string {
  const words = {
    reads: 'not needed',
    restores: 'automatic',
    passes: 'none, by nature',
    changes: 'declared with `undo`',
  };
  return words[effectOf(module, usualArguments(module))];
}

/** Without a state, a module that has one may only read. */
function usualArguments({ args }: Module): JsonObject {
  const { state } = objectOf(args['properties'] as JsonObject | undefined);
  const [usual] = arrayOf(objectOf(state)['enum']);
  return usual === undefined ? {} : { state: usual };
}

/** Type of an argument in a few words. */
export function typeOf(schema: unknown): string {
  if (!isObject(schema)) return 'any';
  const { type, enum: choices, anyOf, items, format } = schema;
  if (format === 'variable') return 'name of a variable';
  if (Array.isArray(choices)) return choices.map((one) => String(one)).join(', ');
  if (Array.isArray(anyOf)) return [...new Set(anyOf.map(typeOf))].join(' or ');
  const own = (Array.isArray(type) ? type : [type]).map((one) =>
    one === 'array' ? `list of ${typeOf(items)}` : one === 'object' ? 'map' : String(one ?? 'any'),
  );
  return own.join(' or ');
}

function modulePage(module: Module): string {
  const { name, summary, shorthand } = module;
  const properties = module.args['properties'] as Record<string, JsonSchema> | undefined;
  const required = (module.args['required'] ?? []) as string[];
  const rows = Object.entries(properties ?? {}).map(([argument, schema]) => [
    `${code(argument)}${required.includes(argument) ? ', required' : ''}`,
    typeOf(schema),
    typeof schema['description'] === 'string' ? schema['description'] : '',
  ]);
  const short =
    shorthand === undefined
      ? ''
      : `\n\`${name}: TEXT\` is short for \`${name}: { ${shorthand}: TEXT }\`.\n`;
  const args =
    rows.length === 0 ? 'It takes no arguments.\n' : table(['argument', 'type', 'meaning'], rows);
  const example = exampleOf(name);
  return `${MADE}# ${name}

${summary} Undo: ${undoOf(module)}.
${short}
${args}
## Example

\`\`\`yaml
${example}\`\`\`
`;
}

/** The playbook in examples/modules, which the tests play. */
function exampleOf(name: string): string {
  const file = join(packageRoot(), 'examples', 'modules', `${name}.yml`);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** For each keyword a shipped file that uses it, by keyword and by place and keyword. The tests play all of them. */
export function keywordExamples(): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of ['playbooks', 'roles', 'examples']) {
    const names = readdirSync(join(packageRoot(), folder), { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((one) => /\.ya?ml$/.test(one)).sort()) {
      // Those show modules.
      if (name.startsWith('modules/')) continue;
      const path = join(folder, name);
      for (const [place, keyword] of usesIn(path)) {
        found.set(keyword, path);
        found.set(`${place} ${keyword}`, path);
      }
    }
  }
  return found;
}

function usesIn(path: string): KeywordUse[] {
  const kind = path.includes('/meta/')
    ? 'meta'
    : /\/(tasks|handlers)\//.test(path)
      ? 'tasks'
      : 'playbook';
  const text = readFileSync(join(packageRoot(), path), 'utf8');
  return keywordsUsed(parse(text, { logLevel: 'silent' }), kind);
}

function keywordsPage(): string {
  const examples = keywordExamples();
  const link = (place: string, name: string): string => {
    const path = examples.get(`${place} ${name}`) ?? examples.get(name);
    return path === undefined ? '' : `[${path}](../../${path})`;
  };
  const sections = places.map((place) => {
    const rows = keywordsOn(place)
      .toSorted((a, b) => a.name.localeCompare(b.name))
      .map(({ name, schema, description }) => [
        code(name),
        keywordType(schema),
        description,
        link(place, name),
      ]);
    return `## ${place[0]?.toUpperCase() ?? ''}${place.slice(1)}\n\n${table(['keyword', 'type', 'meaning', 'in use'], rows)}`;
  });
  const number = new Set(keywords.map(({ name }) => name)).size;
  return `${MADE}# Keywords

All ${String(number)} keywords, by where they may stand. Editors complete them with \`# yaml-language-server: $schema=…/schemas/playbook.schema.json\` in the first line of a playbook.

${sections.join('\n')}`;
}

function keywordType(schema: JsonSchema): string {
  const reference = schema['$ref'];
  if (typeof reference === 'string') return `list of ${basename(reference)}`;
  if (Array.isArray(schema['anyOf']))
    return [...new Set(schema['anyOf'].map((one) => keywordType(one as JsonSchema)))].join(' or ');
  return typeOf(schema);
}

function helpersPage(): string {
  const rows = Object.entries(helperDocs)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, { summary, example, gives }]) => [
      code(name),
      summary,
      code(example),
      code(JSON.stringify(gives)),
    ]);
  return `${MADE}# Helpers of templates

\`{{helper argument …}}\`, and inside one another: \`{{join (map list "upper") "-"}}\`. Handlebars' own \`if\`, \`unless\`, \`each\` and \`with\` come on top. In the examples:

\`\`\`json
${JSON.stringify(exampleVariables)}
\`\`\`

${table(['helper', 'gives', 'example', 'result'], rows)}`;
}

interface RoleMeta {
  description?: string;
  inputs?: Record<
    string,
    { type?: string; default?: unknown; required?: boolean; description?: string; removed?: string }
  >;
}

function rolesPage(folder: string): string {
  const sections = readdirSync(folder)
    .sort()
    .map((name) => {
      const file = join(folder, name, 'meta', 'main.yml');
      const meta = (existsSync(file) ? parse(readFileSync(file, 'utf8')) : {}) as RoleMeta | null;
      const given = Object.entries(meta?.inputs ?? {}).filter(([, spec]) => !spec.removed);
      const rows = given.map(([input, spec]) => [
        code(input),
        spec.type ?? 'any',
        spec.required === true ? 'required' : code(JSON.stringify(spec.default ?? '')),
        spec.description ?? '',
      ]);
      const inputs =
        rows.length === 0 ? '' : `\n${table(['input', 'type', 'default', 'meaning'], rows)}`;
      return `## ${name}\n\n${meta?.description ?? ''}\n${inputs}`;
    });
  return `${MADE}# Roles

Shipped in \`roles/\`; each has a README with an example. How to change one: [customise](../customise.md).

${sections.join('\n')}`;
}

function playbooksPage(world: World): string {
  const folder = join(packageRoot(), 'playbooks');
  const sections = readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .map((name) => {
      const playbook = readPlaybook(world, join(folder, name));
      const rows = playbook.inputs.map(({ name: input, schema, description, required, env }) => [
        code(flagOf(input)),
        typeOf(schema),
        `${description}${required ? '; required' : ''}${env === undefined ? '' : `; or ${code(env)}`}`,
      ]);
      const plays = playbook.plays.map((play) => `- ${play.name} (${code(play.hosts)})`);
      return `## ${name}\n\n${playbook.name}\n\n${plays.join('\n')}\n\n${table(['input', 'type', 'meaning'], rows)}`;
    });
  return `${MADE}# Playbooks\n\n${sections.join('\n')}`;
}
