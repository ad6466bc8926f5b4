import fc from 'fast-check';
import Handlebars from 'handlebars';
import { describe, expect, it } from 'vitest';
import { plainTemplate } from '../../src/template/plain.ts';
import { parseTemplate } from '../../src/template/templates.ts';

const names = ['a', 'b', 'c', 'length', 'constructor', '__proto__', '0', 'this_one'];
const leaf = fc.oneof(
  fc.string({ maxLength: 4 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.integer(), { maxLength: 2 }),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'tree' },
    leaf,
    fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 4 }),
  ),
}));
const variables = fc.dictionary(fc.constantFrom(...names), tree, { maxKeys: 6 });
const path = fc
  .array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.map((part, index) => (index > 0 ? `[${part}]` : part)).join('.'))
  .filter((text) => !/^\d/.test(text));
const piece = fc.oneof(
  fc.stringMatching(/^[ a-z\n]{0,5}$/),
  path.map((one) => `{{${one}}}`),
  path.map((one) => `{{~${one}~}}`),
  fc.constant('{{!-- comment --}}'),
);

/** What Handlebars itself prints, and whether it finds a value for each variable. */
function reference(text: string, values: object): { text: string; found: boolean } {
  const handlebars = Handlebars.create();
  Handlebars.log = () => undefined;
  let found = true;
  handlebars.registerHelper('seen', (value: unknown) => {
    if (value === undefined) found = false;
    if (value === undefined || value === null) return '';
    return typeof value === 'object' ? JSON.stringify(value) : value;
  });
  const called = text.replaceAll(/\{\{(~?)([^!~}]+)(~?)\}\}/g, '{{$1seen $2$3}}');
  return { text: handlebars.compile(called, { noEscape: true })(values), found };
}

describe('a template of text and variables', () => {
  it('renders what Handlebars renders', () => {
    let rendered = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), variables, (pieces, values) => {
        const text = `<${pieces.join('')}>`;
        expect(plainTemplate(Handlebars.parse(text))).toBeDefined();
        const wanted = reference(text, values);
        const template = parseTemplate(text);
        if (!wanted.found) {
          expect(() => template.render(values)).toThrow('is not defined');
        } else {
          expect(template.render(values)).toBe(wanted.text);
          rendered++;
        }
      }),
      { numRuns: 2000 },
    );
    expect(rendered).toBeGreaterThan(200);
  });

  it.each(['{{this}}', '{{this.a}}', '{{../a}}', '{{@index}}', '{{"text"}}', '{{upper a}}'])(
    '%s is not one',
    (text) => {
      expect(plainTemplate(Handlebars.parse(text))).toBeUndefined();
    },
  );

  it('reports an undefined variable whose name begins with "this"', () => {
    expect(() => parseTemplate('{{this_host}}').render({})).toThrow('"this_host" is not defined');
    expect(() => parseTemplate('{{upper this_host}}').render({})).toThrow('is not defined');
  });
});
