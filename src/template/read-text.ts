import { isSourceObject, Template, type Source, type Text } from '../core/value.ts';
import { jinjaIn } from './jinja.ts';

/**
 * Converts text of a playbook or inventory to a template if it contains an expression, or Jinja
 * syntax to report.
 */
export function readText(text: string): Text {
  const hasStatement = /\{[%#]/.test(text) && jinjaIn(text) !== undefined;
  return text.includes('{{') || hasStatement ? new Template(text) : text;
}

/** Applies `readText` to every text in a value. */
export function readTexts(value: Source): Source {
  if (typeof value === 'string') return readText(value);
  if (Array.isArray(value)) return value.map(readTexts);
  if (!isSourceObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, readTexts(one)]));
}
