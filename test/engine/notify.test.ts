import { expect, it } from 'vitest';
import { notifiedHandlers } from '../../src/engine/notify.ts';
import { playOf, roleOf, taskOf } from '../helpers/tasks.ts';

const web = roleOf('web');
const handlers = [
  taskOf({ id: 'p/restart', name: 'Restart' }),
  taskOf({ id: 'p/web/restart', name: 'Restart', role: web }),
  taskOf({ id: 'p/db/restart', name: 'Restart', role: roleOf('db') }),
  taskOf({ id: 'p/web/reload', name: 'Reload', role: web, listen: ['config', 'keys'] }),
  taskOf({ id: 'p/log', name: 'Log', listen: ['config'] }),
];
const notified = (notify: string[], role = undefined as typeof web | undefined): string[] =>
  notifiedHandlers(taskOf({ notify, role }), playOf({ handlers })).map(({ id }) => id);

it.each([
  ['of the play, for its own tasks', ['Restart'], undefined, ['p/restart']],
  ["of the task's role", ['Restart'], web, ['p/web/restart']],
  ['defined last, if the role has none', ['Restart'], roleOf('app'), ['p/db/restart']],
  ['of the role in the name', ['db : Restart'], undefined, ['p/db/restart']],
  ['of any role, if only one has the name', ['Reload'], undefined, ['p/web/reload']],
  [
    'that listen, in the order of their definition',
    ['config'],
    undefined,
    ['p/web/reload', 'p/log'],
  ],
  ['once, even if named several times', ['config', 'Log'], undefined, ['p/web/reload', 'p/log']],
  ['but none without that name', ['Stop'], undefined, []],
])('notifies the handlers %s', (_, names, role, wanted) => {
  expect(notified(names, role)).toEqual(wanted);
});

it('names a handler with its role', () => {
  const notified = notifiedHandlers(taskOf({ notify: ['Reload', 'Log'] }), playOf({ handlers }));
  expect(notified.map(({ name }) => name)).toEqual(['web : Reload', 'Log']);
});
