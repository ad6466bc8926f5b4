import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Condition, OMIT, Template } from '../../src/core/value.ts';
import { Redactor } from '../../src/util/redact.ts';
import {
  conceal,
  describeStored,
  nameSecrets,
  reveal,
  revealFields,
} from '../../src/util/secrets.ts';

const secrets = new Redactor();
secrets.add('password', `it's "50%" wörd`);
secrets.add('word', 'word');
secrets.hide('--become-password-file', 'sudo-word-1');

/** As a journal writes and reads it. */
const onDisk = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(conceal(value, secrets.forms)));

const hostile = fc.oneof(
  fc.string(),
  fc.constantFrom(
    ...[
      '{{',
      '}}',
      '{{password}}',
      '\uE000',
      '\uE000\uE001',
      '⟦omit⟧',
      '⟦secret:password⟧',
      '$omit',
      '$text',
      '$data',
      '$entries',
      '$template',
      '$condition',
      '__proto__',
      'secret',
    ],
    ...secrets.forms.map(({ form }) => form),
  ),
);
const texts = fc.array(hostile, { maxLength: 4 }).map((parts) => parts.join(''));
const { value: values } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    texts,
    fc.constantFrom<unknown>(null, true, 0, 1.5),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(texts, tie('value')), { maxLength: 3 }).map(Object.fromEntries),
    fc.record({ $text: fc.array(fc.oneof(texts, fc.record({ secret: fc.constant('password') }))) }),
  ),
}));

describe('values with secrets', () => {
  it('are unchanged after storing, for any text of hosts and users', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(JSON.stringify(reveal(onDisk(value), secrets))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('are stored without secrets, in every encoding and also as keys', () => {
    fc.assert(
      fc.property(values, (value) => {
        const texts: string[] = [];
        const collect = (one: unknown): void => {
          if (typeof one === 'string') texts.push(one);
          if (typeof one !== 'object' || one === null) return;
          // The name of a secret is not part of the value.
          if (typeof (one as { secret?: unknown }).secret === 'string') return;
          if (!Array.isArray(one)) texts.push(...Object.keys(one));
          Object.values(one).forEach(collect);
        };
        collect(onDisk(value));
        expect(texts.filter((text) => secrets.hasSecret(Buffer.from(text)))).toEqual([]);
      }),
    );
  });

  it('distinguish templates, conditions and omitted values from text that looks like them', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const value = {
          ...{ text, template: new Template(text), when: new Condition(text), omitted: [OMIT] },
          same: [
            { $template: text },
            { $condition: text },
            { $omit: '' },
            { $data: { $template: text } },
          ],
        };
        expect(reveal(onDisk(value), secrets)).toStrictEqual(value);
      }),
    );
  });

  it('need a secret only when it is used', () => {
    const others = new Redactor();
    others.add('word', 'word');
    const stored = onDisk({
      open: 'a word',
      closed: [`it's "50%" wörd`],
      deep: { sudo: 'sudo-word-1' },
    });
    expect(() => reveal(stored, others)).toThrow('The secret "password" is needed');
    const fields = revealFields(stored, others);
    expect(fields['open']).toBe('a word');
    expect(() => fields['closed']).toThrow('The secret "password" is needed');
    expect(() => fields['deep']).toThrow('The secret "--become-password-file" is needed');
  });

  it('are described by the names of their secrets', () => {
    expect(describeStored(onDisk('a word'))).toBe('a [secret word]');
    expect(nameSecrets('a word, sudo-word-1', secrets.forms)).toBe(
      'a [secret word], [secret --become-password-file]',
    );
  });
});
