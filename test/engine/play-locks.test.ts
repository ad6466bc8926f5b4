import { expect, it } from 'vitest';
import { LockedError, TemplateError } from '../../src/core/errors.ts';
import { Template } from '../../src/core/value.ts';
import { initialKnowledge, learn, type Knowledge } from '../../src/engine/knowledge.ts';
import { PlayLocks } from '../../src/engine/play-locks.ts';
import type { Become, Play } from '../../src/language/document.ts';
import { Scope } from '../../src/template/scope.ts';
import { hostOf, noBecome, playOf, taskOf } from '../helpers/tasks.ts';

const look = taskOf({ readOnly: true });
const root = { ...noBecome, enabled: true };
const names = ['h1', 'h2', 'h3'];
const knownHosts = (): Knowledge =>
  initialKnowledge({
    file: '',
    hosts: new Map(names.map((name) => [name, hostOf(name)])),
    groups: new Map([
      ['all', names],
      ['web', ['h1', 'h2']],
    ]),
  });

interface World {
  limit?: string;
  knowledge?: Knowledge;
  /** Error of a lock request. */
  held?: Error;
}

/** Locks that record the hosts of each request. */
function given(plays: Play[], { limit, knowledge = knownHosts(), held }: World = {}) {
  const taken: ReadonlyMap<string, Become>[] = [];
  const locks = new PlayLocks(plays, {
    locks: {
      take: (hosts) => {
        taken.push(hosts);
        return held ? Promise.reject(held) : Promise.resolve();
      },
    },
    ...{ knowledge, limit },
    variables: {
      scope: ({ name }) => new Scope([{ name: 'host', values: { me: name }, data: true }]),
    },
  });
  const take = (play: Play, ...left: string[]) => locks.take(play, taskOf(), new Set(left));
  return { take, taken, knowledge, names: () => taken.map((hosts) => [...hosts.keys()].join(' ')) };
}

async function locked(
  plays: Play[],
  { current = plays[0], left = [], ...world }: World & { current?: Play; left?: string[] } = {},
): Promise<Record<string, Become>> {
  const { take, taken } = given(plays, world);
  await take(current ?? playOf(), ...left);
  return Object.fromEntries(taken[0] ?? []);
}

it('locks the hosts of all plays that change something, with the access of their first change', async () => {
  const plays = [
    playOf({ id: 'a', hosts: 'web', tasks: [look, taskOf({ become: root }), taskOf()] }),
    playOf({ id: 'b', hosts: 'h2:h3', tasks: [taskOf()] }),
    playOf({ id: 'c', hosts: 'all', tasks: [look] }),
  ];
  expect(await locked(plays)).toEqual({ h1: root, h2: root, h3: noBecome });
  expect(Object.keys(await locked(plays, { limit: 'h2' }))).toEqual(['h2']);
  expect(Object.keys(await locked(plays, { left: ['h1', 'h3'] }))).toEqual(['h2']);
});

it('locks the hosts of a play whose first change is in an include that was just loaded', async () => {
  const plays = [playOf({ hosts: 'web', tasks: [look] })];
  expect(Object.keys(await locked(plays))).toEqual(['h1', 'h2']);
});

it('locks a later play only when it begins if an earlier play creates its group', async () => {
  const later = playOf({ id: 'b', hosts: 'fresh', tasks: [taskOf()] });
  const plays = [playOf({ hosts: 'h1', tasks: [taskOf()] }), later];
  expect(Object.keys(await locked(plays))).toEqual(['h1']);
  await expect(locked(plays, { current: later })).rejects.toThrow('fresh');
  const knowledge = knownHosts();
  learn(knowledge, { host: 'h3', joined: ['fresh'] });
  expect(Object.keys(await locked(plays, { current: later, knowledge }))).toEqual(['h1', 'h3']);
});

it('renders the user of a play for each host, and postpones later plays whose user is undefined', async () => {
  const user = (text: string) => [taskOf({ become: { ...root, user: new Template(text) } })];
  const own = playOf({ hosts: 'web', tasks: user('user-{{me}}') });
  expect(await locked([own])).toEqual({
    h1: { ...root, user: 'user-h1' },
    h2: { ...root, user: 'user-h2' },
  });
  const late = playOf({ id: 'b', hosts: 'h3', tasks: user('{{registered}}') });
  expect(Object.keys(await locked([own, late]))).toEqual(['h1', 'h2']);
  await expect(locked([own, late], { current: late })).rejects.toBeInstanceOf(TemplateError);
});

it('locks once, as long as the play, its groups and its hosts stay the same', async () => {
  const plays = ['web', 'h2'].map((hosts) => playOf({ id: hosts, hosts, tasks: [taskOf()] }));
  const [web = playOf(), db = playOf()] = plays;
  const { take, knowledge, names } = given(plays);
  for (const play of [web, web, db, db]) await take(play);
  expect(names()).toEqual(['h1 h2', 'h1 h2']);
  learn(knowledge, { host: 'h3', joined: ['web'] });
  for (const left of [[], [], ['h1'], ['h1']]) await take(db, ...left);
  expect(names().slice(2)).toEqual(['h1 h2 h3', 'h2 h3']);
});

it('requests the locks again after a refusal', async () => {
  const plays = [playOf({ tasks: [taskOf()] })];
  const { take, names } = given(plays, { held: new LockedError('held by another run') });
  for (const play of [...plays, ...plays])
    await expect(take(play)).rejects.toBeInstanceOf(LockedError);
  expect(names()).toHaveLength(2);
});
