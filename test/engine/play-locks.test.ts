import { expect, it } from 'vitest';
import { initialKnowledge, learn } from '../../src/engine/knowledge.ts';
import { PlayLocks } from '../../src/engine/play-locks.ts';
import { plainTask, type Play, type TaskNode } from '../../src/language/document.ts';

const become = { enabled: false, user: 'root', method: 'sudo' as const };
const at = { file: 'p.yml', line: 1, column: 1 };
const task: TaskNode = plainTask({ id: 'p/t', name: 'T', at, module: 'copy', args: {}, become });
const play = (id: string, hosts: string): Play =>
  ({
    id,
    name: id,
    hosts,
    sections: [{ name: 'tasks', nodes: [task] }],
    handlers: [],
  }) as unknown as Play;

/** Nobody asks: the user of these steps is no template. */
const noTemplates = {
  scope: (): never => {
    throw new Error('no template');
  },
};

function given() {
  const names = ['h1', 'h2', 'h3'];
  const address = (name: string) => ({
    ...{ name, transport: 'ssh' as const, address: name, port: undefined },
    ...{ user: undefined, keyPath: undefined },
  });
  const hosts = new Map(names.map((name) => [name, { name, address: address(name), vars: {} }]));
  const groups = new Map([
    ['all', names],
    ['web', ['h1']],
  ]);
  const knowledge = initialKnowledge({ file: '', hosts, groups });
  const taken: string[][] = [];
  const [web, db] = [play('web', 'web'), play('db', 'h2')];
  const locks = new PlayLocks([web, db], {
    locks: {
      take: (wanted) => {
        taken.push([...wanted.keys()]);
        return Promise.resolve();
      },
    },
    knowledge,
    variables: noTemplates,
    limit: undefined,
  });
  return { locks, knowledge, taken, web, db };
}

it('locks the hosts of all plays once, as long as groups and hosts stay the same', async () => {
  const { locks, taken, web } = given();
  await locks.take(web, task, new Set());
  await locks.take(web, task, new Set());
  expect(taken).toEqual([['h1', 'h2']]);
});

it('looks again in another play, and when a host joins a group or takes no part any more', async () => {
  const { locks, knowledge, taken, web, db } = given();
  await locks.take(web, task, new Set());
  await locks.take(db, task, new Set());
  learn(knowledge, { host: 'h3', joined: ['web'] });
  await locks.take(db, task, new Set());
  await locks.take(db, task, new Set(['h1']));
  expect(taken).toEqual([
    ['h1', 'h2'],
    ['h1', 'h2'],
    ['h1', 'h3', 'h2'],
    ['h3', 'h2'],
  ]);
});

it('tries again when the locks could not be taken', async () => {
  const { knowledge, web } = given();
  let tries = 0;
  const failing = new PlayLocks([web], {
    locks: {
      take: () => {
        tries++;
        return Promise.reject(new Error('held by another run'));
      },
    },
    knowledge,
    variables: noTemplates,
    limit: undefined,
  });
  await expect(failing.take(web, task, new Set())).rejects.toThrow('held');
  await expect(failing.take(web, task, new Set())).rejects.toThrow('held');
  expect(tries).toBe(2);
});
