import type { Problem } from '../core/errors.ts';
import type { SourceRef } from '../core/source.ts';
import { isSourceObject, Template, type Source, type SourceObject } from '../core/value.ts';
import type { SourceMap } from '../yaml/source-map.ts';

export interface Substitution {
  environment: NodeJS.ProcessEnv;
  map: SourceMap;
  problems: Problem[];
}

/**
 * Substitutes `$VAR`, `${VAR}`, `${VAR:-default}` and similar expressions in a document, as
 * launchpad and k0sctl do. An unset variable is a problem; these tools would silently insert
 * nothing.
 */
export function substitute(value: Source, parts: Substitution, at?: SourceRef): Source {
  if (typeof value === 'string' || value instanceof Template)
    return textOf(String(value), parts, at);
  if (Array.isArray(value)) {
    const { map } = parts;
    const list = value.map((item, index) => substitute(item, parts, map.value(value, index)));
    map.copy(value, list);
    return list;
  }
  return isSourceObject(value) ? substituteMap(value, parts) : value;
}

function substituteMap(value: SourceObject, parts: Substitution): SourceObject {
  const substituted: SourceObject = {};
  for (const [key, one] of Object.entries(value))
    substituted[key] = substitute(one, parts, parts.map.value(value, key));
  parts.map.copy(value, substituted);
  return substituted;
}

const VARIABLE = /\$(?:(\$)|([A-Za-z_]\w*)|\{([^}]*)\})/g;

function textOf(text: string, { environment, problems }: Substitution, at?: SourceRef): Source {
  if (!text.includes('$')) return text;
  const substituted = text.replaceAll(
    VARIABLE,
    (_, dollar?: string, name?: string, braced?: string) => {
      if (dollar !== undefined) return '$';
      const value = valueOf(braced ?? name ?? '', environment);
      if (typeof value === 'string') return value;
      problems.push({ ...value, at });
      return '';
    },
  );
  // If the text is a single variable, its value is converted as in YAML.
  const isWhole = /^\$(?:[A-Za-z_]\w*|\{[^}]*\})$/.test(text);
  if (isWhole && /^(0|[1-9]\d{0,8})$/.test(substituted)) return Number(substituted);
  if (isWhole && /^(true|false)$/.test(substituted)) return substituted === 'true';
  return substituted;
}

/** The value of the expression between the braces, or the problem. */
function valueOf(
  inner: string,
  environment: NodeJS.ProcessEnv,
): string | Pick<Problem, 'message' | 'hint'> {
  const [, name, operator = '', word = ''] =
    /^([A-Za-z_]\w*)(?:(:?[-=+?])(.*))?$/s.exec(inner) ?? [];
  if (name === undefined)
    return {
      message: `"\${${inner}}" is not a valid substitution.`,
      hint: 'Use ${VAR}, ${VAR:-default} or ${VAR:+other}. Write $$ for a dollar sign.',
    };
  const found = environment[name];
  const value = operator.startsWith(':') && found === '' ? undefined : found;
  if (operator.endsWith('+')) return value === undefined ? '' : word;
  if (value !== undefined) return value;
  if (/[-=]$/.test(operator)) return word;
  return {
    message: `The environment variable "${name}" is not set.`,
    hint: `Set it: export ${name}=…. Write $$ for a dollar sign.`,
  };
}
