import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { isWarning, PlaybookError, type Problem } from '../core/errors.ts';
import { hostOrders, plainTask, strategies, tasksOf } from '../language/document.ts';
import type { JsonSchema, ModuleRegistry } from '../core/module.ts';
import type {
  Become,
  BlockNode,
  InputSpec,
  Node,
  Play,
  Playbook,
  PlaySection,
  RoleContext,
  TaskNode,
} from '../language/document.ts';
import type { Files } from '../core/ports.ts';
import type { SourceRef } from '../core/source.ts';
import { schemaProblem, validateValue } from '../util/schema.ts';
import { slug } from '../util/text.ts';
import type { Vault } from '../util/vault.ts';
import { readLayers, roleFolders, type Layers } from './overlay.ts';
import { MapReader } from '../yaml/map-reader.ts';
import { reportSecrets } from './secrets.ts';
import { findFile, loadTaskFile } from './includes.ts';
import { inherit, stepId, topLevel, type Inherited, type LoadContext } from './inherited.ts';
import { loadNodes } from './nodes.ts';
import { hereInstead } from '../language/hints.ts';
import { loadBlockUndo, loadFingerprint, loadRollback, plainTasks } from './tasks.ts';
import { SourceMap } from '../yaml/source-map.ts';
import { readYaml, type YamlReading } from '../yaml/yaml.ts';

const MAX_PINNED_BYTES = 1024 * 1024;

export interface LoadOptions {
  modules: ModuleRegistry;
  files: Files;
  /** Folders searched for roles after the playbook's own `roles/`. */
  rolePaths: string[];
  /** Folders searched for a playbook that an overlay extends, after the overlay's own. */
  playbookPaths: string[];
  /** As whom plays run that do not say it. */
  become?: Partial<Omit<Become, 'login'>> | undefined;
  /** Opens what is encrypted. */
  vault?: Vault | undefined;
}

/**
 * Reads, checks and links a playbook with its roles.
 * @throws PlaybookError with every problem of every file.
 */
export function loadPlaybook(path: string, options: LoadOptions): Playbook {
  const problems: Problem[] = [];
  const map = new SourceMap(options.vault);
  const reading = { files: options.files, problems, map };
  const layers = readLayers(path, options.playbookPaths, reading);
  if (problems.length > 0) throw new PlaybookError(problems);
  const playbook = new PlaybookLoader(layers, options, reading).load(layers.value);
  layers.changes.reportLost();
  const errors = problems.filter((problem) => !isWarning(problem));
  if (errors.length > 0) throw new PlaybookError(errors);
  return { ...playbook, warnings: problems };
}

/** Where a play stands, and what is said around it. */
interface PlayFile {
  file: string;
  /** Files that are being imported, outermost first. */
  chain: readonly string[];
  when: string[];
  tags: string[];
  vars: JsonObject;
}

class PlaybookLoader {
  readonly #files: string[];
  /** Below all overlays. */
  readonly #file: string;
  readonly #folder: string;
  readonly #become: Partial<Omit<Become, 'login'>> | undefined;
  readonly #rolePaths: string[];
  /** Where templates and files are looked up; that of the playbook below all overlays is the last. */
  readonly #playFolders: string[];
  readonly #context: LoadContext;

  constructor(
    { files, changes }: Layers,
    { modules, rolePaths, become }: LoadOptions,
    reading: YamlReading,
  ) {
    const file = files.at(-1) ?? '';
    this.#files = files;
    this.#file = file;
    this.#folder = dirname(file);
    this.#become = become;
    this.#playFolders = files.map((one) => dirname(one));
    this.#rolePaths = [...files.flatMap(roleFolders), ...rolePaths];
    this.#context = {
      ...reading,
      modules,
      used: new Set(files),
      ids: new Set(),
      changes,
      previewId: (id) => id,
      handlers: [],
      fingerprint: [],
      dependencies: new Set(),
      roleChain: [],
      dynamic: false,
      loadNodes,
      findRole: (name) => this.#findRole(name),
      roleNames: () => this.#roleNames(),
      loadRole: (reader, inherited, context) => this.#loadRole(reader, inherited, context),
    };
  }

  load(value: JsonValue): Playbook {
    const { problems, map, used } = this.#context;
    const empty: JsonObject = {};
    const start = { file: this.#file, line: 1, column: 1 };
    map.set(empty, { self: start, keys: new Map(), values: new Map() });
    const reader = new MapReader(isJsonObject(value) ? value : empty, map, problems);
    const plays = Array.isArray(value) ? value : reader.list('plays');
    if (!plays)
      problems.push({
        message: 'A playbook is a list of plays, or a map with "plays".',
        at: start,
      });
    const top = this.#topLevel(this.#folder, '');
    const own = loadFingerprint(
      reader,
      { ...top, ...inheritBecome(reader, top), path: 'fingerprint' },
      this.#context,
    );
    const playbook: Playbook = {
      name: reader.string('name') ?? basename(this.#file),
      path: this.#files[0] ?? this.#file,
      inputs: this.#loadInputs(reader),
      rollback: loadRollback(
        reader,
        { ...top, ...inheritBecome(reader, top), path: 'rollback' },
        this.#context,
      ),
      timeLimitSeconds: reader.limit('time_limit'),
      fingerprint: [],
      plays: this.#loadPlays(plays ?? [], this.#topFile()),
      changes: this.#context.changes.list,
      folders: [...new Set(this.#playFolders)],
      files: [],
      warnings: [],
      placeOf: (vars, name) => map.key(vars, name),
    };
    reader.string('description');
    if (!Array.isArray(value)) reader.close('a playbook');
    const fingerprint = [...own, ...this.#context.fingerprint];
    return { ...playbook, fingerprint, files: [...used].sort() };
  }

  #topLevel(folder: string, path: string): Inherited {
    const top = topLevel(folder, path);
    return { ...top, become: { ...top.become, ...this.#become } };
  }

  #loadInputs(reader: MapReader): InputSpec[] {
    const inputs = reader.reader('inputs');
    if (!inputs) return [];
    return Object.keys(inputs.source).flatMap((name) => {
      const spec = inputs.reader(name);
      return spec ? [readInput(name, spec)] : [];
    });
  }

  #topFile(): PlayFile {
    return { file: this.#file, chain: [this.#file], when: [], tags: [], vars: {} };
  }

  #loadPlays(list: JsonValue[], from: PlayFile): Play[] {
    const { changes } = this.#context;
    return list
      .flatMap((play) => this.#loadPlay(play, from))
      .flatMap((play) => changes.ofPlay(play, (plays) => this.#loadPlays(plays, from)));
  }

  /** `import_playbook`: the plays of another file in place of this one, with conditions, tags and variables. */
  #importPlays(reader: MapReader, from: PlayFile): Play[] {
    const { problems, map, used } = this.#context;
    const wanted = reader.string('import_playbook') ?? '';
    reader.string('name');
    const file = resolve(dirname(from.file), wanted);
    const inner: PlayFile = {
      file,
      chain: [...from.chain, file],
      when: [...from.when, ...(reader.conditions('when') ?? [])],
      tags: [...from.tags, ...reader.strings('tags')],
      vars: map.together(reader.object('vars') ?? {}, from.vars),
    };
    reader.close('"import_playbook"');
    if (!existsSync(file)) {
      const hint = `Looked for ${file}.`;
      const rule = 'missing-file';
      reader.problem('import_playbook', `There is no playbook "${wanted}".`, hint, { rule });
      return [];
    }
    if (from.chain.includes(file)) {
      reader.problem('import_playbook', `"${wanted}" imports itself.`);
      return [];
    }
    used.add(file);
    this.#playFolders.unshift(dirname(file));
    this.#rolePaths.unshift(...roleFolders(file).filter((one) => !this.#rolePaths.includes(one)));
    const value = readYaml(file, this.#context);
    if (Array.isArray(value)) return this.#loadPlays(value, inner);
    const whole = isJsonObject(value) ? value : {};
    const head = new MapReader(whole, map, problems);
    const plays = head.list('plays');
    head.string('name');
    head.string('description');
    // What belongs to a whole run is said by the playbook that is run.
    head.close('a playbook that is imported');
    return this.#loadPlays(plays ?? [], inner);
  }

  /** Variables of files: each a path, or a list of which the first that is there counts. */
  #varsFiles(reader: MapReader, from: PlayFile): JsonObject {
    const { problems, map, used } = this.#context;
    const found: JsonObject[] = [];
    for (const entry of reader.list('vars_files') ?? []) {
      const names = (Array.isArray(entry) ? entry : [entry]).map(String);
      const paths = names.map((one) => resolve(dirname(from.file), one));
      const path = paths.find((one) => existsSync(one));
      if (path === undefined) {
        const hint = `Looked for ${paths.join(', ')}.`;
        reader.problem('vars_files', `There is no file "${names.join('" or "')}".`, hint, {
          rule: 'missing-file',
        });
        continue;
      }
      used.add(path);
      const value = readYaml(path, this.#context);
      if (isJsonObject(value)) {
        reportSecrets(value, problems, map);
        found.push(value);
      } else if (value !== null)
        reader.problem('vars_files', `"${path}" is no map of names and values.`);
    }
    return map.together(...found);
  }

  #loadPlay(value: JsonValue, from: PlayFile): Play[] {
    const { problems, map, ids } = this.#context;
    if (!isJsonObject(value)) {
      const at = { file: from.file, line: 1, column: 1 };
      problems.push({ message: 'A play must be a map of keywords.', at });
      return [];
    }
    const reader = new MapReader(value, map, problems);
    if ('import_playbook' in value) return this.#importPlays(reader, from);
    const name = reader.string('name');
    const hosts = reader.value('hosts');
    const pattern = Array.isArray(hosts) ? hosts.join(':') : hosts;
    if (typeof pattern !== 'string')
      reader.problem('hosts', 'A play needs "hosts", a pattern of host or group names.');
    if (name === undefined)
      problems.push({
        rule: 'missing-name',
        message: 'A play has no name.',
        at: reader.at(),
        hint: 'Add "name:".',
      });
    const id = stepId('', name ?? 'play', ids).slice(1);
    const vars = map.together(
      reader.object('vars') ?? {},
      this.#varsFiles(reader, from),
      from.vars,
    );
    const { when, tags: outerTags } = from;
    const top = { ...this.#topLevel(dirname(from.file), id), when, tags: outerTags };
    const inherited: Inherited = { ...inherit(reader, top), vars: [] };
    const gather = reader.boolean('gather_facts');
    const context = {
      ...this.#context,
      handlers: [] as TaskNode[],
      dependencies: new Set<string>(),
    };
    const section = (key: PlaySection['name']) =>
      loadNodes(reader.list(key) ?? [], inherited, context, reader.at());
    const preTasks = section('pre_tasks');
    const roles = (reader.list('roles') ?? []).flatMap((role) =>
      this.#loadRoleEntry(role, inherited, reader, context),
    );
    const tasks = section('tasks');
    const postTasks = section('post_tasks');
    const serial = reader.value('serial');
    const handlers = [
      ...this.#loadHandlers(reader.list('handlers') ?? [], {
        ...inherited,
        path: `${id}/handlers`,
      }),
      ...context.handlers,
    ];
    const content = { preTasks, roles, tasks, postTasks, handlers, vars };
    if (gather ?? mentionsFacts(content, context.used))
      preTasks.unshift(gatherFacts(id, reader.at(), inherited));
    const play: Play = {
      id,
      name: name ?? 'play',
      at: reader.at(),
      hosts: typeof pattern === 'string' ? pattern : 'all',
      allowEmpty: reader.boolean('allow_empty') ?? false,
      vars,
      order: reader.oneOf('order', hostOrders) ?? 'inventory',
      strategy: reader.oneOf('strategy', strategies) ?? 'linear',
      serial: readSerial(serial, reader),
      commit: reader.oneOf('commit', ['batch', 'end']),
      maxFailures: readMaxFailures(reader),
      rollback: loadRollback(reader, { ...inherited, path: `${id}/rollback` }, this.#context),
      sections: [
        { name: 'pre_tasks', nodes: preTasks },
        { name: 'tasks', nodes: [...roles, ...tasks] },
        { name: 'post_tasks', nodes: postTasks },
      ],
      handlers,
    };
    reader.close('a play', hereInstead);
    if (play.strategy === 'free') this.#checkFree(play);
    return [play];
  }

  /** What only makes sense where hosts go step by step. */
  #checkFree({ sections }: Play): void {
    const refuse = (what: string, at: SourceRef) => {
      const message = `${what} cannot stand in a play with "strategy: free".`;
      const hint = `Hosts reach it at different times. Put it into a play of its own.`;
      this.#context.problems.push({ message, hint, at });
    };
    for (const { nodes } of sections) {
      for (const task of tasksOf(nodes)) {
        if (task.runOnce) refuse('"run_once"', task.at);
        if (task.anyErrorsFatal) refuse('"any_errors_fatal"', task.at);
        if (task.irreversible !== undefined) refuse('A point of no return', task.at);
      }
      const visit = (inner: readonly Node[]): void => {
        for (const node of inner) {
          if (node.kind === 'commit') refuse('A commit point', node.at);
          if (node.kind === 'block') [node.block, node.rescue, node.always].forEach(visit);
          if (node.kind === 'include') visit(node.preview.nodes);
        }
      };
      visit(nodes);
    }
  }

  #loadHandlers(list: JsonValue[], inherited: Inherited): TaskNode[] {
    const at = { file: this.#file, line: 1, column: 1 };
    const plain = { ...inherited, when: [], notify: [] };
    return plainTasks(list, plain, this.#context, { at, where: 'handlers' });
  }

  #loadRoleEntry(
    value: JsonValue,
    inherited: Inherited,
    play: MapReader,
    context: LoadContext,
  ): Node[] {
    const { map, problems } = context;
    const source: JsonObject = isJsonObject(value) ? value : { role: value };
    if (!map.of(source))
      map.set(source, { self: play.at('roles'), keys: new Map(), values: new Map() });
    const block = this.#loadRole(new MapReader(source, map, problems), inherited, context);
    return block ? context.changes.ofNode(block, inherited, context) : [];
  }

  #findRole(name: string): string | undefined {
    const path = findFile(name, this.#rolePaths);
    return path !== undefined && statSync(path).isDirectory() ? path : undefined;
  }

  #roleNames(): string[] {
    return this.#rolePaths.filter((path) => existsSync(path)).flatMap((path) => readdirSync(path));
  }

  #loadRole(reader: MapReader, outer: Inherited, context: LoadContext): BlockNode | undefined {
    const name = reader.string('role');
    const shown = reader.string('name') ?? name;
    if (name === undefined || shown === undefined) {
      reader.problem('role', 'A role entry needs "role", the name of a role.');
      return undefined;
    }
    const path = this.#findRole(name);
    if (path === undefined) {
      reader.problem(
        'role',
        `There is no role "${name}".`,
        `Looked in ${this.#rolePaths.map((one) => resolve(one)).join(', ')}.`,
        { rule: 'missing-file' },
      );
      return undefined;
    }
    const from = reader.string('tasks_from') ?? 'main';
    const inherited = inherit(reader, outer);
    const given = reader.object('inputs') ?? {};
    const id = stepId(outer.path, shown, context.ids);
    const shortName = isAbsolute(name) ? basename(name) : name;
    const role = this.#readRole(shortName, path, {
      given,
      entry: reader,
      parent: outer.role,
      context,
    });
    const inner: Inherited = { ...inherited, role, path: id, folder: path };
    const tasks = yamlFile(path, 'tasks', from);
    if (outer.chain.includes(tasks)) {
      reader.problem('role', `Role "${shortName}" includes itself.`);
      return undefined;
    }
    this.#loadRoleHandlers(role, inner, context);
    for (const file of contentFiles(path)) context.used.add(file);
    const block: BlockNode = {
      kind: 'block',
      id,
      name: shown,
      at: reader.at(),
      block: [
        ...this.#loadDependencies(role, { ...inherited, role }, context),
        ...loadTaskFile(tasks, inner, context),
      ],
      rescue: [],
      always: [],
      undo: loadBlockUndo(reader, inner, context),
      isRole: true,
    };
    reader.close('a role entry', hereInstead);
    return block;
  }

  #readRole(
    name: string,
    path: string,
    {
      given,
      entry,
      parent,
      context,
    }: {
      given: JsonObject;
      entry: MapReader;
      parent: RoleContext | undefined;
      context: LoadContext;
    },
  ): RoleContext {
    const { problems, map, used } = context;
    let defaults = this.#roleVars(path, 'defaults', context);
    const constants = this.#roleVars(path, 'vars', context);
    const metaFile = yamlFile(path, 'meta', 'main');
    if (existsSync(metaFile)) {
      used.add(metaFile);
      const value = readYaml(metaFile, context);
      if (isJsonObject(value)) {
        const meta = new MapReader(value, map, problems);
        meta.string('description');
        meta.list('dependencies');
        defaults = map.together(defaults, this.#checkRoleInputs(name, meta, given, entry));
        this.#loadRoleFingerprint(meta, path, context);
        meta.close('the meta file of a role');
      }
    } else if (Object.keys(given).length > 0) {
      entry.problem(
        'inputs',
        `Role "${name}" declares no inputs.`,
        'Declare them in its meta/main.yml.',
      );
    }
    return { name, path, defaults, inputs: given, constants, parent };
  }

  /** `defaults/main.yml` or `vars/main.yml` of a role, or all files of a folder `main`, in the order of their names. */
  #roleVars(path: string, kind: 'defaults' | 'vars', context: LoadContext): JsonObject {
    const { problems, map, used } = context;
    const folder = join(path, kind, 'main');
    const whole = existsSync(folder) && statSync(folder).isDirectory();
    const names = whole ? readdirSync(folder).filter((one) => /\.ya?ml$/.test(one)) : [];
    const own = whole
      ? names.sort().map((one) => join(folder, one))
      : [yamlFile(path, kind, 'main')];
    const found: JsonObject[] = [];
    for (const file of own.filter((one) => existsSync(one))) {
      used.add(file);
      const value = readYaml(file, context);
      if (isJsonObject(value)) {
        reportSecrets(value, problems, map);
        found.push(value);
      } else if (value !== null) {
        const at = { file, line: 1, column: 1 };
        problems.push({ message: `"${kind}" of a role is a map of names and values.`, at });
      }
    }
    return map.together(...found);
  }

  /** Roles that a role wants run before it: each once in a play, unless it is given other inputs or conditions. */
  #loadDependencies(role: RoleContext, inherited: Inherited, context: LoadContext): Node[] {
    const { problems, map } = context;
    const file = yamlFile(role.path, 'meta', 'main');
    if (!existsSync(file)) return [];
    const value = readYaml(file, { ...context, problems: [] });
    const list = isJsonObject(value) ? value['dependencies'] : undefined;
    if (!Array.isArray(list)) return [];
    return list.flatMap((item): Node[] => {
      const source: JsonObject = isJsonObject(item) ? item : { role: item };
      const at = map.value(list, list.indexOf(item)) ?? { file, line: 1, column: 1 };
      if (!map.of(source)) map.set(source, { self: at, keys: new Map(), values: new Map() });
      const name = String(source['role'] ?? '');
      if (context.roleChain.includes(name)) {
        const way = [...context.roleChain, name].join(' → ');
        problems.push({ message: `Role "${name}" depends on itself: ${way}.`, at });
        return [];
      }
      const key = JSON.stringify([source, inherited.when, inherited.tags, inherited.become]);
      if (context.dependencies.has(key)) return [];
      context.dependencies.add(key);
      const within = { ...context, roleChain: [...context.roleChain, name] };
      const block = this.#loadRole(new MapReader(source, map, problems), inherited, within);
      return block ? [block] : [];
    });
  }

  /** Returns the defaults of inputs that were not given. */
  #checkRoleInputs(name: string, meta: MapReader, given: JsonObject, entry: MapReader): JsonObject {
    const declared = meta.reader('inputs');
    const defaults: JsonObject = {};
    const schemas: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const key of Object.keys(declared?.source ?? {})) {
      const spec = declared?.reader(key);
      if (!spec) continue;
      const input = readInput(key, spec);
      schemas[key] = input.schema;
      if (input.default !== undefined) defaults[key] = input.default;
      else if (input.required) required.push(key);
    }
    const schema = { type: 'object', properties: schemas, required, additionalProperties: false };
    for (const problem of validateValue(schema, given, { templates: true })) {
      const message = problem.message.replace('argument', 'input').replace('Argument', 'Input');
      entry.problem('inputs', `Role "${name}": ${message}`, problem.hint);
    }
    return defaults;
  }

  #loadRoleFingerprint(meta: MapReader, path: string, context: LoadContext): void {
    const inherited = topLevel(path, `fingerprint/${basename(path)}`);
    context.fingerprint.push(...loadFingerprint(meta, inherited, context));
  }

  #loadRoleHandlers(role: RoleContext, inherited: Inherited, context: LoadContext): void {
    const file = yamlFile(role.path, 'handlers', 'main');
    if (!existsSync(file)) return;
    const path = `${inherited.path}/handlers`;
    const nodes = loadTaskFile(file, { ...inherited, path, when: [], notify: [] }, context);
    for (const node of nodes) {
      if (node.kind === 'task') context.handlers.push(node);
      else
        context.problems.push({
          message: 'Only plain tasks may stand in "handlers".',
          at: { file, line: 1, column: 1 },
        });
    }
  }
}

/**
 * Whether anything of a play asks for facts: then they are gathered, unless the play says otherwise. What an include
 * may bring whose path is known only later is not seen; such a play says "gather_facts: true".
 */
function mentionsFacts(content: unknown, files: ReadonlySet<string>): boolean {
  const templates = [...files].filter((file) => file.includes('/templates/'));
  return (
    JSON.stringify(content).includes('ansible_facts') ||
    templates.some((file) => readFileSync(file, 'utf8').includes('ansible_facts'))
  );
}

/** Asked once in a run, as the first step of the first play that wants to know. */
function gatherFacts(play: string, at: SourceRef, { become }: Inherited): TaskNode {
  const own = { id: `${play}/gather-facts`, name: 'Gather facts', at, module: 'setup', args: {} };
  return {
    ...plainTask({ ...own, become }),
    when: ['!has(vars.ansible_facts)'],
    tags: ['always'],
    readOnly: true,
  };
}

function inheritBecome(reader: MapReader, outer: Inherited): Pick<Inherited, 'become'> {
  const enabled = reader.boolean('become') ?? outer.become.enabled;
  return { become: { ...outer.become, enabled } };
}

/** Templates and files of a role, whose copies are kept with a run. Large ones are not part of the playbook's text. */
function contentFiles(folder: string): string[] {
  return ['templates', 'files']
    .map((kind) => join(folder, kind))
    .filter((kind) => existsSync(kind))
    .flatMap((kind) =>
      readdirSync(kind, { recursive: true, encoding: 'utf8' }).map((name) => join(kind, name)),
    )
    .filter((path) => statSync(path).isFile() && statSync(path).size <= MAX_PINNED_BYTES);
}

function yamlFile(folder: string, kind: string, name: string): string {
  const yml = join(folder, kind, `${name}.yml`);
  const yaml = join(folder, kind, `${name}.yaml`);
  return !existsSync(yml) && existsSync(yaml) ? yaml : yml;
}

function readSerial(value: JsonValue | undefined, reader: MapReader): (number | string)[] {
  if (value === undefined) return [];
  const items = Array.isArray(value) ? value : [value];
  return items.flatMap((item) => {
    const valid =
      (typeof item === 'number' && Number.isInteger(item) && item > 0) ||
      (typeof item === 'string' && (/^[1-9]\d*%?$/.test(item) || item.includes('{{')));
    if (valid) return [item];
    reader.problem(
      'serial',
      '"serial" must be a count above 0, a percentage such as "10%", or a list of these.',
    );
    return [];
  });
}

function readMaxFailures(reader: MapReader): number | string {
  const value = reader.value('max_failures') ?? 0;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  if (typeof value === 'string' && /^(\d|[1-9]\d|100)%$/.test(value)) return value;
  reader.problem('max_failures', '"max_failures" must be a count, or a percentage such as "10%".');
  return 0;
}

const schemaKeys = [
  'type',
  'enum',
  'pattern',
  'minLength',
  'minimum',
  'maximum',
  'items',
  'minItems',
  'properties',
];
/** Flags of `runner play` itself; an input of such a name could never be given. */
const reserved = new Set(
  'list-tasks list-tags list-hosts flush-cache from step debug take-over on-interrupt rollback-budget check diff limit tags skip-tags forks on-failure require-undo output inventory help extra-vars verbose accept-irreversible run-id fail-at undo detailed-exit-code known-hosts ssh-config transport connect-timeout key-passphrase-file connection-password-file ask-pass become-password-file ask-become-pass vault-id vault-password-file ask-vault-pass user private-key become become-user become-method'.split(
    ' ',
  ),
);

function readInput(name: string, spec: MapReader): InputSpec {
  const schema: Record<string, JsonValue> = {};
  for (const key of schemaKeys) {
    const value = spec.value(key);
    if (value !== undefined) schema[key] = value;
  }
  const wrong = schemaProblem(schema);
  if (wrong !== undefined)
    spec.problem('type', `Input "${name}" is not described as it should be: ${wrong}.`);
  // A flag is made of it, in which two hyphens or one at the end have no name.
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name))
    spec.problem('type', `Input "${name}" must be named in snake_case.`);
  if (spec.value('flag') === false && spec.value('secret') !== true)
    spec.problem(
      'flag',
      `Input "${name}" with "flag: false" must be a secret, to be given by a file.`,
    );
  if (reserved.has(slug(name)))
    spec.problem('type', `Input "${name}" has the name of a flag of runner itself.`);
  const fallback = spec.value('default');
  const env = spec.string('env');
  const prompt = spec.string('prompt');
  const format = spec.oneOf('format', ['path', 'inventory', 'age-recipient']);
  const input: InputSpec = {
    name,
    schema,
    description: spec.string('description') ?? '',
    required: spec.boolean('required') ?? false,
    secret: spec.boolean('secret') ?? false,
    hasFlag: spec.boolean('flag') ?? true,
    isPath: format === 'path' || format === 'inventory',
    isRecipient: format === 'age-recipient',
    isInventory: format === 'inventory',
    at: spec.at(),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(env === undefined ? {} : { env }),
    ...(prompt === undefined ? {} : { prompt }),
  };
  spec.close(`input "${name}"`);
  return input;
}
