import { TemplateError } from '../core/errors.ts';

/** `{{> name}}`, alone on its line or not; the name may be quoted. */
const PARTIAL = /\{\{~?>\s*(?:"([^"]+)"|'([^']+)'|([\w./-]+))\s*~?\}\}(?:[ \t]*(\r?\n|$))?/g;

/**
 * Replaces the partials of a template by the rules of Handlebars: a partial that is alone on its
 * line is indented like the line. Yields the name of each partial and expects its text.
 *
 * @throws TemplateError if a partial includes itself
 */
export function* withPartials(
  text: string,
  chain: readonly string[] = [],
): Generator<string, string, string> {
  let whole = '';
  let at = 0;
  for (const match of text.matchAll(PARTIAL)) {
    const [found, doubly, singly, plain = '', end] = match;
    const name = doubly ?? singly ?? plain;
    if (chain.includes(name))
      throw new TemplateError(
        `Partial "${name}" includes itself: ${[...chain, name].join(' → ')}.`,
      );
    const inner: string = yield* withPartials(yield name, [...chain, name]);
    const { index } = match;
    const before = text.slice(text.lastIndexOf('\n', index - 1) + 1, index);
    const alone = index >= at + before.length && before.trim() === '' && end !== undefined;
    whole += text.slice(at, alone ? index - before.length : index);
    whole += alone
      ? inner.replaceAll(/^(?=.)/gm, before) + (inner === '' || inner.endsWith('\n') ? '' : end)
      : `${inner}${end ?? ''}`;
    at = index + found.length;
  }
  return whole + text.slice(at);
}
