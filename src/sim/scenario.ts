import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Chance } from './chance.ts';
import { widen } from './widen.ts';

/** Hosts and playbook of a case, shared by all processes of its run. */
export interface Scenario {
  hosts: string[];
  groups: Record<string, string[]>;
  /** Text of the playbook. JSON is YAML. */
  playbook: string;
  /** Files at the beginning, by host. */
  files: Record<string, Record<string, string>>;
  /** The playbook has keywords that make its result depend on which host failed. */
  toleratesFailures: boolean;
}

/** Creates unique names of steps. */
interface Naming {
  chance: Chance;
  hosts: readonly string[];
  next: number;
}

/** Generates a playbook of steps that change hosts, with undos that restore the previous state. */
export function chooseScenario(chance: Chance, { isWide }: { isWide: boolean }): Scenario {
  const hosts = ['h1', 'h2', 'h3', 'h4'].slice(0, 1 + chance.below(4));
  const naming: Naming = { chance, hosts, next: 1 };
  const tolerates = hosts.length > 1 && chance.is(0.25);
  const basic = Array.from({ length: chance.is(0.3) ? 2 : 1 }, (_, index) =>
    choosePlay(naming, index + 1, tolerates),
  );
  const files = Object.fromEntries(
    hosts.map((host): [string, Record<string, string>] => [
      host,
      { '/etc/app.conf': 'old\n', ...(chance.is(0.5) ? { [pathOf(chance)]: 'was there\n' } : {}) },
    ]),
  );
  const plays = isWide ? widen(basic, chance.fork()) : basic;
  const playbook = JSON.stringify(plays, null, 2);
  const toleratesFailures = /"(rescue|ignore_errors|max_failures)"/.test(playbook);
  return { hosts, groups: { all: hosts }, playbook, files, toleratesFailures };
}

function choosePlay(naming: Naming, number: number, tolerates: boolean): JsonObject {
  const { chance, hosts } = naming;
  const tasks = Array.from({ length: 2 + chance.below(5) }, () => chooseNode(naming, !tolerates));
  if (chance.is(0.2)) tasks.push({ name: nameOf(naming, 'Fail'), ...failure(naming) });
  return {
    name: `Play ${String(number)}`,
    hosts: 'all',
    handlers: [{ name: 'Restart', service: { name: 'app', state: 'restarted' } }],
    ...(chance.is(0.3) ? { serial: 1 + chance.below(hosts.length) } : {}),
    ...(tolerates ? { max_failures: 1 } : {}),
    ...(chance.is(0.15) ? { commit: chance.of(['batch', 'end']) } : {}),
    tasks,
  };
}

function chooseNode(naming: Naming, shared: boolean, depth = 0): JsonObject {
  const { chance } = naming;
  if (depth === 0 && chance.is(0.2)) return chooseBlock(naming, shared);
  if (depth === 0 && chance.is(0.06)) return { commit: nameOf(naming, 'commit') };
  const task = { name: nameOf(naming, 'Step'), ...chooseTask(naming) };
  // A handler restarts the service only on the host of the task, so a notifying task is not shared.
  if (!shared || 'notify' in task) return task;
  if (chance.is(0.06)) return { ...task, run_once: true };
  // Without "throttle", parallel changes of the same target would have no order for their undos.
  if (chance.is(0.06)) return { ...task, delegate_to: chance.of(naming.hosts), throttle: 1 };
  return task;
}

function chooseBlock(naming: Naming, shared: boolean): JsonObject {
  const { chance } = naming;
  const some = () =>
    Array.from({ length: 1 + chance.below(2) }, () => chooseNode(naming, shared, 1));
  const block = some();
  const fails = chance.is(0.4);
  if (fails) block.push({ name: nameOf(naming, 'Fail'), ...failure(naming) });
  return {
    name: nameOf(naming, 'Block'),
    block,
    ...(fails ? { rescue: some() } : {}),
    ...(chance.is(0.3) ? { always: some() } : {}),
  };
}

function chooseTask(naming: Naming): JsonObject {
  const { chance } = naming;
  const path = pathOf(chance);
  const text = `${chance.of(['one', 'two', 'three'])} ${String(naming.next)}`;
  const kinds: (() => JsonObject)[] = [
    () => ({ copy: { content: `${text}\n`, dest: path, ...attributes(chance) } }),
    () => ({ copy: { content: `${text}\n`, dest: '/etc/app.conf' }, notify: 'Restart' }),
    () => ({ file: { path, state: chance.of(['absent', 'touch']) } }),
    () => ({ file: { path: directoryOf(chance), state: chance.of(['absent', 'directory']) } }),
    () => ({ lineinfile: { path: '/etc/app.conf', line: text }, notify: 'Restart' }),
    () => ({ service: { name: 'db', state: chance.of(['stopped', 'started', 'restarted']) } }),
    () => ({ service: { name: 'db', enabled: chance.is(0.5) } }),
    () => ({ ...put(path, text), ...(chance.is(0.15) ? { detach: true } : {}) }),
    () => ({
      copy: { content: `{{item}} ${text}\n`, dest: '/srv/{{item}}' },
      loop: ['a', 'b', 'c'].slice(chance.below(2)),
    }),
    () => ({ command: { cmd: 'say words', read_only: true }, register: 'said' }),
    () => ({
      command: `flaky ${String(1 + chance.below(2))} ${text}`,
      retries: 2,
      delay: 5,
      undo: { none: 'It changes nothing.' },
    }),
    () => ({ command: 'fail', ignore_errors: true, undo: { none: 'It changes nothing.' } }),
  ];
  return chance.of(kinds)();
}

/** A command that declares its undo. */
function put(path: string, text: string): JsonObject {
  const show: JsonValue = {
    name: 'Read the file',
    command: { cmd: `show ${path}`, read_only: true },
    register: 'found',
  };
  return {
    command: `put ${path} ${text}`,
    capture: [show],
    undo: [{ name: 'Restore the file', command: `restore ${path} {{captured.found.stdout}}` }],
  };
}

function failure({ chance, hosts }: Naming): JsonObject {
  const some = hosts.filter(() => chance.is(0.5));
  const which = some.length > 0 ? some : [chance.of(hosts)];
  return { command: `fail-on ${which.join(' ')}`, undo: { none: 'It changes nothing.' } };
}

function attributes(chance: Chance): JsonObject {
  return {
    ...(chance.is(0.3) ? { mode: chance.of(['0600', '0755']) } : {}),
    ...(chance.is(0.2) ? { owner: chance.of(['app', 'web']) } : {}),
  };
}

function pathOf(chance: Chance): string {
  return chance.of(['/etc/one', '/etc/two', '/srv/three', '/srv/a']);
}

function directoryOf(chance: Chance): string {
  return chance.of(['/srv/dir', '/srv/dir/below', '/var/other']);
}

function nameOf(naming: Naming, word: string): string {
  return `${word} ${String(naming.next++)}`;
}
