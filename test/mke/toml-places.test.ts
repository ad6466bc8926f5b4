import { parse } from '@iarna/toml';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placesIn } from '../../src/mke/toml-places.ts';
import { dump } from '../helpers/mke3-config.ts';

const places = (text: string): string[] =>
  placesIn(text).entries.map(
    ({ path, kind, line, column }) => `${kind} ${path} ${String(line)}:${String(column)}`,
  );

describe('positions in a TOML text', () => {
  it('include tables, keys and items with line and column', () => {
    expect(
      places(
        'top = 1 # x = 2\n[a.b]\n  "c d" = "[no]"\r\n  e.f = [\n  "#", # ]\n  ]\n[[g]]\nh = {i = 1}\n',
      ),
    ).toEqual([
      'key top 1:1',
      'table a.b 2:1',
      'key a.b.c d 3:3',
      'key a.b.e.f 4:3',
      'item g 7:1',
      'key g.h 8:1',
    ]);
  });

  it('are correct after multi-line strings', () => {
    const text =
      'a = """\nb = 1\n[c]\n\\""" d = 2\n"""\ne = \'\'\'\nf = 3\n\'\'\'\ng = "\\" # "\nh = 1\n';
    expect(places(text)).toEqual(['key a 1:1', 'key e 6:1', 'key g 9:1', 'key h 10:1']);
  });

  it('include numbers, except those in comments and strings', () => {
    const { bare } = placesIn('a = "1" # 2\nb = [3,\n 4]\nc = { d = 5 }\n');
    const numbers = bare.filter(({ text }) => /\d/.test(text));
    expect(numbers.map(({ text, line, column }) => [text, line, column])).toEqual([
      ['3', 2, 6],
      ['4', 3, 2],
      ['5', 4, 11],
    ]);
  });

  it('include every key of a downloaded configuration', () => {
    const keys = (value: unknown, path: string): string[] =>
      typeof value !== 'object' || value === null || Array.isArray(value)
        ? [path]
        : Object.entries(value).flatMap(([key, inner]) =>
            keys(inner, path === '' ? key : `${path}.${key}`),
          );
    const found = new Set(placesIn(dump).entries.map(({ path }) => path));
    expect(keys(parse(dump), '').filter((key) => !found.has(key))).toEqual([]);
  });

  it('can be determined for any text', () => {
    const part = fc.constantFrom(
      '[',
      ']',
      '"',
      "'",
      '"""',
      "'''",
      '=',
      '#',
      '\n',
      '.',
      ',',
      '{',
      '}',
      'a',
      ' ',
      '\\',
      '1',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const { entries } = placesIn(parts.join(''));
        expect(entries.length).toBeLessThanOrEqual(parts.length);
      }),
    );
  });
});
