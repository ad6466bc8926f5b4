import { expect, it } from 'vitest';
import { Condition, Template } from '../../src/core/value.ts';
import { applyConsequence, initialKnowledge, learn } from '../../src/engine/knowledge.ts';
import { Variables, type VariableParts } from '../../src/engine/variables.ts';
import { plainTask, type Play } from '../../src/language/document.ts';
import { holds } from '../../src/template/conditions.ts';

const become = { enabled: false, user: 'root', method: 'sudo' as const };
const at = { file: 'p.yml', line: 1, column: 1 };
const task = plainTask({ id: 'p/t', name: 'T', at, module: 'debug', args: {}, become });
const play = { id: 'p', name: 'P', hosts: 'all', vars: { own: 'rendered' } } as unknown as Play;
const address = {
  ...{ name: 'h1', transport: 'ssh' as const, address: 'h1', port: undefined },
  ...{ user: undefined, keyPath: undefined },
};

it('renders inventory variables, but not the variables of a host that a step added', () => {
  const vars = { said: new Template('{{own}}') };
  const hosts = new Map([['h1', { name: 'h1', address, vars }]]);
  const knowledge = initialKnowledge({ file: '', hosts, groups: new Map() });
  const added = { name: 'h2', groups: [], vars: { said: '{{own}}' }, address };
  learn(knowledge, { host: 'h1', added: [added] });
  const settings = { variables: {}, inputDefaults: {}, startedAt: new Date(0) };
  const context = { settings, environment: {} } as unknown as VariableParts;
  const variables = new Variables(context, knowledge, []);
  const scopeOf = (name: string) =>
    variables.scope(hosts.get(name)!, { play, task, batch: ['h1', 'h2'] });
  expect(scopeOf('h1').get('said')).toBe('rendered');
  expect(scopeOf('h2').get('said')).toBe('{{own}}');
  // In "hostvars", both are unrendered text.
  expect(scopeOf('h1').render(new Template('{{hostvars.h1.said}} {{hostvars.h2.said}}'))).toBe(
    '{{own}} {{own}}',
  );
});

it('"hostvars" contains the current facts of other hosts, and can be iterated and printed', () => {
  const hosts = new Map(['h1', 'h2'].map((name) => [name, { name, address, vars: { n: name } }]));
  const knowledge = initialKnowledge({ file: '', hosts, groups: new Map() });
  const settings = { variables: {}, inputDefaults: {}, startedAt: new Date(0) };
  const variables = new Variables(
    { settings, environment: {} } as unknown as VariableParts,
    knowledge,
    [],
  );
  const scope = variables.scope(hosts.get('h1')!, { play, task, batch: ['h1'] });
  const said = (template: string) => scope.with().render(new Template(template));
  expect(said('{{hostvars.h2.n}} {{default hostvars.h2.x "none"}}')).toBe('h2 none');
  learn(knowledge, { host: 'h2', facts: [{ hosts: ['h2'], values: { x: 'new' } }] });
  expect(said('{{hostvars.h2.x}}')).toBe('new');
  expect(said('{{#each hostvars}}{{@key}}={{n}} {{/each}}')).toBe('h1=h1 h2=h2 ');
  const gathered = { ansible_facts: { os: 'x' } };
  learn(knowledge, { host: 'h2', facts: [{ hosts: ['h2'], values: gathered }] });
  expect(said('{{hostvars.h2.ansible_facts.os}}')).toBe('x');
  applyConsequence(knowledge, { kind: 'facts-forgotten', host: 'h2' });
  expect(said('{{default hostvars.h2.ansible_facts "none"}}')).toBe('none');
  const condition = new Condition(
    'hostvars.h2.x == "new" && has(hostvars.h2) && !has(hostvars.h3)',
  );
  expect(holds(condition, scope)).toBe(true);
  expect(Object.keys(JSON.parse(JSON.stringify(scope.get('hostvars'))) as object)).toEqual([
    'h1',
    'h2',
  ]);
});
