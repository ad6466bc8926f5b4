import { TemplateError } from '../../core/errors.ts';
import { templatesIn, type Source } from '../../core/value.ts';
import { parseTemplate, type ParsedTemplate } from '../../template/templates.ts';

function expressionsIn(value: Source): string[] {
  return templatesIn(value).flatMap(({ text, hasExpression }) => (hasExpression ? [text] : []));
}

/** Names that the templates of a value use. @throws TemplateError */
export function namesOf(value: Source): string[] {
  return expressionsIn(value).flatMap((text) => [...parseTemplate(text).roots]);
}

/** What the templates of a value read from the controller. */
export function asksOf(value: Source): ParsedTemplate['asks'] {
  return expressionsIn(value).flatMap(parsedAsks);
}

function parsedAsks(text: string): ParsedTemplate['asks'] {
  try {
    return parseTemplate(text).asks;
  } catch (error) {
    // Reported where its names are looked at.
    if (error instanceof TemplateError) return [];
    throw error;
  }
}
