import { describe, expect, it } from 'vitest';
import { HostCopy, type Module, type Plan, type PlannedUndo } from '../../src/core/module.ts';
import { Condition, Template } from '../../src/core/value.ts';
import { plainTask } from '../../src/language/document.ts';
import { placeCopies, snapshot, undoBody } from '../../src/engine/undo-plan.ts';
import { Scope } from '../../src/template/scope.ts';

const at = { file: 'site.yml', line: 1, column: 1 };
const module: Module = {
  name: 'thing',
  summary: 'Change a thing.',
  args: {},
  effect: 'restores',
  plan: () => ({ actions: [] }),
};
const become = { enabled: false, user: 'root', method: 'sudo' } as const;
const task = plainTask({ become, id: 'play/a', name: 'A', at, module: 'thing', args: {} });

function bodyOf(
  undo: PlannedUndo | undefined,
  more: Partial<typeof task> & { isHandler?: boolean } = {},
) {
  const { isHandler = false, ...keywords } = more;
  const plan: Plan = { actions: [], ...(undo ? { undo } : {}) };
  return undoBody(
    { task: { ...task, ...keywords }, module, args: { name: 'x' }, isHandler },
    plan,
    {
      scope: new Scope([]),
      captured: (path) => `/kept${path}`,
    },
  );
}

const call = (args: PlannedUndo['calls'][number]['args']) => ({ module: 'restore_path', args });

describe('the copies in an undo', () => {
  const calls = [
    call({ path: '/a', copy: new HostCopy('/a') }),
    call({ files: [{ path: '/b', copy: new HostCopy('/b') }, { copy: new HostCopy('/a') }] }),
  ];

  it('are replaced by their locations, also inside lists and maps', () => {
    expect(placeCopies(calls, (path) => `/kept${path}`)).toEqual([
      call({ path: '/a', copy: '/kept/a' }),
      call({ files: [{ path: '/b', copy: '/kept/b' }, { copy: '/kept/a' }] }),
    ]);
  });

  it('cannot be forged by data of the same shape', () => {
    const data = [call({ specification: { path: '/etc/shadow' } })];
    expect(placeCopies(data, () => '/kept')).toEqual(data);
  });
});

describe('the undo of a unit', () => {
  const impossible = { calls: [], impossible: '"/dev/x" cannot be restored.' };

  it('comes from the plan', () => {
    const undo = { calls: [call({ path: '/a', state: 'absent' })] };
    expect(bodyOf(undo)).toEqual({ kind: 'auto', calls: undo.calls });
  });

  it('is uncovered if the plan of a module that can restore has none', () => {
    expect(bodyOf(undefined)).toEqual({ kind: 'uncovered' });
  });

  it('rejects a step whose state cannot be restored', () => {
    expect(() => bodyOf(impossible)).toThrow('"/dev/x" cannot be restored.');
  });

  it('does not reject it if the playbook declares "undo: none"', () => {
    const undo = { kind: 'none', reason: 'a socket' } as const;
    expect(bodyOf(impossible, { undo })).toEqual(undo);
  });

  it('of a handler restores its change if the module can', () => {
    const calls = [{ module: 'restore_path', args: { path: '/etc/x' } }];
    expect(bodyOf({ calls }, { isHandler: true })).toEqual({ kind: 'auto', calls });
  });

  it('of any other handler is the same call again, or the one in the plan', () => {
    expect(bodyOf({ calls: [] }, { isHandler: true })).toEqual({
      kind: 'rerun',
      calls: [{ module: 'thing', args: { name: 'x' } }],
    });
    const rerun = { module: 'thing', args: { name: 'x', only_if_active: true } };
    expect(bodyOf({ calls: [], rerun }, { isHandler: true })).toEqual({
      kind: 'rerun',
      calls: [rerun],
    });
  });
});

describe('the values that an undo needs', () => {
  it('are those of its templates and conditions, also of conditions in its arguments', () => {
    const values = { here: 1, there: 2, wanted: 3, other: 4 };
    const scope = new Scope([{ name: 'play', values }]);
    const undo = {
      ...task,
      when: [new Condition('here == 1')],
      args: { that: [new Condition('there == 2')], fail_msg: new Template('{{wanted}}') },
    };
    expect(snapshot([undo], scope)).toEqual({ here: 1, there: 2, wanted: 3 });
  });

  it('contain only the variables of other hosts that it reads', () => {
    const hostvars = { web: { port: 80, facts: { large: true } }, db: { facts: {} } };
    const scope = new Scope([{ name: 'magic', values: { hostvars, item: 'web' } }]);
    const reading = (text: string) =>
      snapshot([{ ...task, args: { text: new Template(text) } }], scope);
    expect(reading('{{get (get hostvars item) "port"}}')).toEqual({
      hostvars: { web: { port: 80 }, db: {} },
      item: 'web',
    });
    const every = '{{#each (list "web") as |h|}}{{get (get @root.hostvars h) "port"}}{{/each}}';
    expect(reading(every)).toEqual({ hostvars: { web: { port: 80 }, db: {} } });
    expect(reading('{{hostvars}}')).toEqual({ hostvars });
  });
});
