import { isSourceObject, Template, type Source, type Text } from '../core/value.ts';
import { jinjaIn } from './jinja.ts';

/** Text of a playbook or inventory, as the loader reads it: a template where it has an expression, or a statement of Jinja to report. */
export function readText(text: string): Text {
  const hasStatement = /\{[%#]/.test(text) && jinjaIn(text) !== undefined;
  return text.includes('{{') || hasStatement ? new Template(text) : text;
}

/** The same for every text in a value that was written as a whole. */
export function readTexts(value: Source): Source {
  if (typeof value === 'string') return readText(value);
  if (Array.isArray(value)) return value.map(readTexts);
  if (!isSourceObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, readTexts(one)]));
}
