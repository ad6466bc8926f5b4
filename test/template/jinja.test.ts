import { describe, expect, it } from 'vitest';
import { jinjaIn } from '../../src/template/jinja.ts';
import { withPartials } from '../../src/template/partials.ts';
import { parseTemplate } from '../../src/template/templates.ts';

describe('Jinja syntax in a template', () => {
  it.each([
    ['{% if a %}x{% endif %}', '{% if a %}'],
    ['a\n{%- for x in y -%}', '{%- for x in y -%}'],
    ['{{a}}{# note #}', '{# note #}'],
  ])('%j is rejected', (text, found) => {
    expect(jinjaIn(text)).toBe(found);
    expect(() => parseTemplate(`{{a}}${text}`)).toThrow(
      `Template contains Jinja syntax: "${found}"`,
    );
  });

  it.each([
    "curl -w '%{http_code}'",
    'printf "{%s}" x',
    '${#list} {%}',
    '{{#if a}}x{{/if}}{{!-- # --}}',
    '{{"{% if a %}"}}',
    '{% unknown %}',
  ])('%j is not detected', (text) => {
    expect(jinjaIn(text)).toBeUndefined();
  });

  it.each([
    ['{{ x | default("y") }}', '{{default x "y"}}'],
    ["{{ x['a'] }}", '{{list.[0]}} or {{map.key}}'],
    ['{{ x[0] }}', '{{list.[0]}}'],
    ['{{ "a" if x else "b" }}', '{{ternary condition "this" "that"}}'],
    ['{{ x == 1 }}', '{{eq a b}}'],
    ['{{ x.get("a") }}', '{{helper value}}'],
    ['{{ x + 1 }}', '{{add a b}}'],
    ['{{ x ~ "a" }}', '{{concat a b}}'],
  ])('%j is rejected with a hint that contains %s', (text, hint) => {
    let said: unknown;
    try {
      parseTemplate(text);
    } catch (error) {
      said = error;
    }
    expect(said).toMatchObject({
      hint: expect.stringContaining(hint) as string,
      message: expect.not.stringContaining('Expecting') as string,
    });
  });
});

describe('partials of a template', () => {
  const whole = (text: string, parts: Record<string, string> = {}): string => {
    const steps = withPartials(text);
    let next = steps.next();
    while (!next.done) next = steps.next(parts[next.value] ?? `(no ${next.value})`);
    return next.value;
  };

  it.each([
    ['nothing to do {{a}}\n', {}, 'nothing to do {{a}}\n'],
    ['a {{> p }} b\n', { p: 'P' }, 'a P b\n'],
    ['a\n  {{> p}}\nb\n', { p: 'one\n\ntwo\n' }, 'a\n  one\n\n  two\nb\n'],
    ['{{> p}}\nb', { p: 'no end' }, 'no end\nb'],
    ['{{>"dir/p q"}}', { 'dir/p q': 'P' }, 'P'],
    ['{{> p}}', { p: '[{{> q.hbs}}]', 'q.hbs': 'Q' }, '[Q]'],
    ['{{~> p ~}}', { p: 'P' }, 'P'],
    ['{{> p}}\n', { p: '' }, ''],
    ['a{{> p}}{{> p}}', { p: 'P' }, 'aPP'],
  ])('%j with %j', (text, parts, result) => {
    expect(whole(text, parts)).toBe(result);
  });

  it('must not include themselves', () => {
    expect(() => whole('{{> a}}', { a: '{{> b}}', b: '{{> a}}' })).toThrow(
      'Partial "a" includes itself: a → b → a.',
    );
  });
});
