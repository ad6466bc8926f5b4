import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/core/errors.ts';
import type { Module } from '../../src/core/module.ts';
import { isSourceObject, OMIT, Template, type Source } from '../../src/core/value.ts';
import { renderArguments } from '../../src/engine/arguments.ts';
import { snapshot } from '../../src/engine/undo-plan.ts';
import { callTask } from '../../src/engine/undo-unit.ts';
import { parseExtraVars } from '../../src/cli/flags/extra-vars.ts';
import { storeRecord } from '../../src/journal/codec.ts';
import type { RecordedUnit } from '../../src/journal/recorded-run.ts';
import type { IntentRecord } from '../../src/journal/records.ts';
import { reveal } from '../../src/journal/stored.ts';
import { plainTask } from '../../src/language/document.ts';
import { readText } from '../../src/template/read-text.ts';
import { Scope } from '../../src/template/scope.ts';
import { Redactor } from '../../src/util/redact.ts';
import { Vault } from '../../src/util/vault.ts';
import { SourceMap } from '../../src/yaml/source-map.ts';
import { parseYaml } from '../../src/yaml/yaml.ts';
import { intentRecord } from '../helpers/records.ts';

/** Text with every marker that has or had a special meaning. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        ...['{{', '}}', '{{out}}', '{{omit}}', '{%', '{# c #}', '\uE000', '\uE001', '⟦omit⟧'],
        ...['⟦secret:word⟧', '{"$template":"{{out}}"}', '{"$text":[{"secret":"word"}]}'],
      ),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => parts.join(''));

const secrets = new Redactor();
secrets.add('word', 'open sesame');
const access = { enabled: false, user: 'root', method: 'sudo' as const };
const at = { file: 'p.yml', line: 1, column: 1 };

function valueIn(yaml: string): Source | undefined {
  const problems: Problem[] = [];
  const value = parseYaml(yaml, 'a.yml', { problems, map: new SourceMap() });
  expect(problems).toEqual([]);
  return isSourceObject(value) ? value['a'] : undefined;
}

/** The undo of an intent record after it was written and read again. */
const recorded = (undo: Partial<IntentRecord['undo']>) => {
  const record = intentRecord(1, 1, 'h1');
  const stored = storeRecord({ ...record, undo: { ...record.undo, ...undo } }, secrets);
  return (JSON.parse(JSON.stringify(stored)) as IntentRecord<'stored'>).undo;
};

const debug: Module = {
  ...{ name: 'debug', summary: '', args: { type: 'object' }, effect: 'reads' },
  plan: () => ({ actions: [] }),
};
const message = (args: Record<string, Source>, scope: Scope) =>
  renderArguments(
    plainTask({ ...{ id: 'd', name: 'd', at, become: access }, module: 'debug', args }),
    debug,
    scope,
  )['msg'];

describe('text that looks like a template', () => {
  it('is rendered unchanged when it comes from a host', () => {
    fc.assert(
      fc.property(hostile, (out) => {
        const scope = new Scope([{ name: 'runtime', values: { out, r: { out } }, data: true }]);
        expect(scope.render(new Template('{{out}}'))).toBe(out);
        expect(scope.render(new Template('<{{r.out}}>'))).toBe(`<${out}>`);
        expect(message({ msg: new Template('{{r.out}}') }, scope)).toBe(out);
      }),
    );
  });

  it('is not a template after !raw, and is one in a quoted string', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const quoted = JSON.stringify(text).replaceAll(/[\uE000\uE001\u007f-\uffff]/g, escaped);
        expect(valueIn(`a: !raw ${quoted}`)).toBe(text);
        expect(new Scope([]).render(valueIn(`a: !raw ${quoted}`) ?? null)).toBe(text);
        expect(valueIn(`a: ${quoted}`) instanceof Template).toBe(
          readText(text) instanceof Template,
        );
      }),
    );
  });

  it('is not rendered in extra variables given as JSON', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const vault = new Vault({ keys: [], onSecret: () => undefined });
        const values = parseExtraVars([JSON.stringify({ text: { text } })], vault);
        const scope = new Scope([{ name: 'command line', values, data: true }]);
        expect(scope.render(new Template('{{text.text}}'))).toBe(text);
      }),
    );
  });

  it('is passed unchanged to an automatic undo', () => {
    fc.assert(
      fc.property(hostile, (msg) => {
        const { body } = recorded({
          body: { kind: 'auto', calls: [{ module: 'debug', args: { msg } }] },
        });
        const [call] = body.kind === 'auto' ? body.calls : [];
        const args = reveal(call!.args, secrets);
        const unit = { intent: { unit: 1, become: access } } as unknown as RecordedUnit;
        const task = callTask(unit, { module: 'debug', args });
        expect(renderArguments(task, debug, new Scope([]))['msg']).toBe(msg);
      }),
    );
  });

  it('is passed unchanged to a declared undo, whose own templates are rendered', () => {
    fc.assert(
      fc.property(hostile, (out) => {
        const msg = new Template('{{default none omit}}{{out}} {{captured.out}}');
        const task = plainTask({
          ...{ id: 'u', name: 'u', at, become: access, module: 'debug' },
          args: { msg: new Template('<{{out}} {{captured.out}}>'), raw: out, more: msg },
        });
        const scope = new Scope([{ name: 'runtime', values: { out }, data: true }]);
        const vars = snapshot([task], scope);
        const undo = recorded({
          body: { kind: 'declared', tasks: [task], vars },
          captured: { out },
        });
        if (undo.body.kind !== 'declared') throw new Error('expected a declared undo');
        const again = reveal(undo.body.tasks[0]!, secrets);
        const late = new Scope([
          { name: 'undo', values: { captured: reveal(undo.captured, secrets) }, data: true },
          { name: 'recorded', values: reveal(undo.body.vars, secrets), data: true },
        ]);
        expect(again.args).toStrictEqual(task.args);
        expect(late.render(again.args['msg'] ?? null)).toBe(`<${out} ${out}>`);
        expect(late.render(again.args['raw'] ?? null)).toBe(out);
      }),
    );
  });
});

describe('omit', () => {
  const values = { none: OMIT as never, some: 'x' };
  const scope = new Scope([{ name: 'play', values, data: true }]);

  it('omits an argument, also through a variable, inside a map and after it was recorded', () => {
    expect(message({ msg: new Template('{{omit}}') }, scope)).toBeUndefined();
    expect(message({ msg: new Template('{{none}}') }, scope)).toBeUndefined();
    expect(message({ msg: new Template('{{#if some}}{{omit}}{{/if}}') }, scope)).toBeUndefined();
    expect(message({ msg: { a: new Template('{{omit}}'), b: 1 } }, scope)).toEqual({ b: 1 });
    const task = plainTask({
      ...{ id: 'u', name: 'u', at, become: access, module: 'debug' },
      args: { msg: new Template('{{none}}') },
    });
    const { body } = recorded({
      body: { kind: 'declared', tasks: [task], vars: snapshot([task], scope) },
    });
    const vars = body.kind === 'declared' ? reveal(body.vars, secrets) : {};
    const late = new Scope([{ name: 'recorded', values: vars, data: true }]);
    expect(message(task.args, late)).toBeUndefined();
  });

  it('cannot be part of a text or the value of anything but an argument', () => {
    expect(() => message({ msg: new Template('a {{omit}}') }, scope)).toThrow('"omit"');
    expect(() => scope.render(new Template('{{omit}}'))).toThrow('"omit"');
  });

  it('is not confused with the text "⟦omit⟧"', () => {
    expect(message({ msg: '⟦omit⟧' }, scope)).toBe('⟦omit⟧');
  });
});

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
