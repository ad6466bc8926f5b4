import { TemplateError } from '../../core/errors.ts';
import { templatesIn, type Source } from '../../core/value.ts';
import { parseTemplate, type ParsedTemplate } from '../../template/templates.ts';

function expressionsIn(value: Source): string[] {
  return templatesIn(value).flatMap(({ text, hasExpression }) => (hasExpression ? [text] : []));
}

/** Variables used by the templates of a value. @throws TemplateError */
export function namesOf(value: Source): string[] {
  return expressionsIn(value).flatMap((text) => [...parseTemplate(text).roots]);
}

/** Calls of helpers that read the controller, in the templates of a value. */
export function controllerCallsOf(value: Source): ParsedTemplate['controllerCalls'] {
  return expressionsIn(value).flatMap(controllerCallsIn);
}

function controllerCallsIn(text: string): ParsedTemplate['controllerCalls'] {
  try {
    return parseTemplate(text).controllerCalls;
  } catch (error) {
    // namesOf reports it.
    if (error instanceof TemplateError) return [];
    throw error;
  }
}
