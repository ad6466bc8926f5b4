import type { InventoryHost, Inventory } from '../core/inventory.ts';
import { withFields, type JsonObject, type JsonValue } from '../core/json.ts';
import { asWritten } from '../core/value.ts';
import type { ControllerDisk } from '../core/ports.ts';
import type { Play, TaskNode } from '../language/document.ts';
import { LateValues, Scope, unknownValue, type Layer } from '../template/scope.ts';
import type { Signals, TemplateSources } from './services.ts';
import type { RunSettings } from './settings.ts';
import type { KnownFacts } from '../journal/fact-cache.ts';
import { ageInWords } from '../util/time.ts';
import { controllerFor } from './controller.ts';
import type { Knowledge } from './knowledge.ts';
import { addressVariables, magic, type MagicPlace } from './magic.ts';

export interface VariableParts extends TemplateSources, Signals {
  settings: Pick<
    RunSettings,
    | 'run'
    | 'check'
    | 'diff'
    | 'tags'
    | 'skipTags'
    | 'limit'
    | 'startedAt'
    | 'variables'
    | 'inputDefaults'
  >;
}

/** What a play and a task contribute to the variables of templates. */
export type PlayNames = Pick<Play, 'name' | 'hosts' | 'vars'>;
export type TaskNames = Pick<TaskNode, 'vars' | 'loopValues' | 'role'>;

/** The variables of tasks. */
export class Variables {
  readonly #knowledge: Knowledge;
  readonly #inventory: Inventory;
  readonly #settings: VariableParts['settings'];
  readonly #environment: NodeJS.ProcessEnv;
  readonly #files: ControllerDisk;
  readonly #directories: readonly string[];
  readonly #cache: KnownFacts | undefined;
  readonly #log: Signals['log'];
  readonly #inCache = new Map<string, boolean>();
  /** Cached facts of earlier runs that were read in this run, by host. */
  readonly #fromCache = new Map<string, JsonObject | undefined>();

  /** Cached entries of `hostvars`, with the objects they were computed from. */
  readonly #known = new Map<
    string,
    { host: InventoryHost; facts: object | undefined; vars: JsonObject }
  >();
  /** Shared by all scopes, and lazy: a step that reads one host must not compute a thousand. */
  readonly #hostvars: JsonObject = new Proxy<JsonObject>(
    {},
    {
      get: (_, name) => (typeof name === 'string' ? this.#hostVars(name) : undefined),
      has: (_, name) => typeof name === 'string' && this.#inventory.hosts.has(name),
      ownKeys: () => [...this.#inventory.hosts.keys()],
      getOwnPropertyDescriptor: (_, name) => {
        const value = typeof name === 'string' ? this.#hostVars(name) : undefined;
        return value && { configurable: true, enumerable: true, writable: false, value };
      },
    },
  );

  /** @param directories those of the playbook and its overlays, nearest first */
  constructor(
    { settings, environment, factCache, files, log }: VariableParts,
    knowledge: Knowledge,
    directories: readonly string[],
  ) {
    this.#knowledge = knowledge;
    this.#inventory = knowledge.inventory;
    this.#settings = settings;
    this.#environment = environment;
    this.#files = files;
    this.#directories = directories;
    this.#cache = factCache;
    this.#log = log;
  }

  #hasCached({ name, address }: InventoryHost): boolean {
    const known = this.#inCache.get(name) ?? this.#cache?.has(address) ?? false;
    this.#inCache.set(name, known);
    return known;
  }

  /** Cached facts of a host, if this run has gathered none. */
  #cached({ name, address }: InventoryHost): JsonObject | undefined {
    if (this.#fromCache.has(name)) return this.#fromCache.get(name);
    const found = this.#cache?.read(address);
    this.#fromCache.set(name, found?.facts);
    if (found) {
      const age = ageInWords(this.#settings.startedAt.getTime() - found.gatheredAt.getTime());
      const text = `Facts of "${name}" come from the fact cache and are ${age} old.`;
      this.#log.signal({ t: 'message', level: 'info', text });
    }
    return found?.facts;
  }

  /** Variables of a task on a host, highest precedence first. */
  scope(
    host: InventoryHost,
    {
      play,
      task,
      batch,
      item,
    }: { play: PlayNames; task: TaskNames; batch: readonly string[]; item?: JsonObject },
  ): Scope {
    const { role } = task;
    const outside = () => {
      const around = { ...task, role: role?.parent };
      return this.scope(host, { play, task: around, batch, ...(item ? { item } : {}) });
    };
    const place: MagicPlace = {
      host,
      play,
      batch,
      role,
      knowledge: this.#knowledge,
      settings: this.#settings,
      directories: this.#directories,
      hostvars: () => this.#hostvars,
    };
    const layers: Layer[] = [
      { name: 'magic', values: LateValues.of(magic, place), data: true },
      ...(item ? [{ name: 'loop', values: item, data: true }] : []),
      { name: 'loop around', values: task.loopValues, data: true },
      { name: 'command line', values: this.#settings.variables, data: true },
      ...(role ? [{ name: 'role vars', values: role.constants }] : []),
      { name: 'runtime', values: this.#knowledge.facts.get(host.name) ?? {}, data: true },
      ...task.vars.toReversed().map((values) => ({ name: 'task', values })),
      ...(role ? [{ name: 'role inputs', values: role.inputs, outer: outside }] : []),
      { name: 'play', values: play.vars },
      { name: 'input defaults', values: this.#settings.inputDefaults },
      { name: 'inventory', values: host.vars },
      ...(role ? [{ name: 'role defaults', values: role.defaults }] : []),
    ];
    const directories = [...(role ? [role.path] : []), ...this.#directories];
    const { startedAt } = this.#settings;
    return new Scope(
      layers,
      controllerFor({ environment: this.#environment, startedAt, files: this.#files }, directories),
    );
  }

  /**
   * Variables for templates of a play outside its tasks; undefined if the first host is not in the
   * inventory.
   */
  ofPlay(play: PlayNames, hosts: readonly string[]): Scope | undefined {
    const host = this.#inventory.hosts.get(hosts[0] ?? '');
    const task = { vars: [], loopValues: {}, role: undefined };
    return host && this.scope(host, { play, task, batch: [...hosts] });
  }

  /** Entry of a host in `hostvars`, computed again only after its facts changed. */
  #hostVars(name: string): JsonObject | undefined {
    const host = this.#inventory.hosts.get(name);
    if (!host) return undefined;
    const facts = this.#knowledge.facts.get(name);
    const known = this.#known.get(name);
    if (known && known.host === host && known.facts === facts) return known.vars;
    const vars = this.#varsOf(host);
    this.#known.set(name, { host, facts, vars });
    return vars;
  }

  /** Variables of a host. Templates of the inventory are not rendered. */
  #varsOf(host: InventoryHost): JsonObject {
    const { name, vars } = host;
    const written = lazily(
      Object.fromEntries(Object.keys(vars).map((key) => [key, () => asWritten(vars[key] ?? null)])),
    );
    const own = { inventory_hostname: name, ...addressVariables(host) };
    const facts = Object.entries(this.#knowledge.facts.get(name) ?? {}).filter(
      (fact): fact is [string, JsonValue] => fact[1] !== unknownValue,
    );
    const known = withFields(withFields(written, own), Object.fromEntries(facts));
    // Read from the cache only on access.
    if (!Object.hasOwn(known, 'ansible_facts') && this.#hasCached(host))
      Object.defineProperty(known, 'ansible_facts', {
        enumerable: true,
        get: () => this.#cached(host),
      });
    return known;
  }
}

/** Values that are computed on first access: most tasks need none of them. */
function lazily(values: Record<string, () => JsonValue>): Record<string, JsonValue> {
  const lazy: Record<string, JsonValue> = {};
  for (const [name, workOut] of Object.entries(values)) {
    let known: JsonValue | undefined;
    const get = () => (known ??= workOut());
    Object.defineProperty(lazy, name, { enumerable: true, configurable: true, get });
  }
  return lazy;
}
