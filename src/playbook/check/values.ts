import { TemplateError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import { isTemplate, parseTemplate, type Template } from '../../template/templates.ts';

/** All texts of a value, at any depth. */
export function textsOf(value: JsonValue): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

/** Names that the templates of a value use. @throws TemplateError */
export function namesOf(value: JsonValue): string[] {
  return textsOf(value)
    .filter(isTemplate)
    .flatMap((text) => [...parseTemplate(text).roots]);
}

/** What the templates of a value read from the controller. */
export function asksOf(value: JsonValue): Template['asks'] {
  return textsOf(value).filter(isTemplate).flatMap(parsedAsks);
}

function parsedAsks(text: string): Template['asks'] {
  try {
    return parseTemplate(text).asks;
  } catch (error) {
    // Reported where its names are looked at.
    if (error instanceof TemplateError) return [];
    throw error;
  }
}
