import type { Problem } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import type { SourceRef } from '../../core/source.ts';
import { asWritten, isSourceObject, type Source } from '../../core/value.ts';
import type { InputSpec } from '../../language/document.ts';
import { localFiles } from '../../util/local-files.ts';
import { expandHome } from '../../util/paths.ts';
import { validateValue, type SchemaProblem } from '../../util/schema.ts';
import type { Vault } from '../../util/vault.ts';
import { SourceMap } from '../../yaml/source-map.ts';
import { readYaml } from '../../yaml/yaml.ts';

/**
 * Reads an input with `format: yaml-file`. Its values are not rendered. Each problem has a position
 * in the file.
 */
export function yamlInput(
  path: string,
  { schema }: Pick<InputSpec, 'schema'>,
  vault: Vault,
): { value: JsonValue; problems: Problem[] } {
  const file = expandHome(path);
  const problems: Problem[] = [];
  const map = new SourceMap(vault);
  const source = readYaml(file, { files: localFiles, problems, map });
  const value = asWritten(source);
  if (problems.length > 0) return { value, problems };
  for (const problem of validateValue(schema, value, { noun: 'key' })) {
    const at = placeOf(source, problem, map) ?? { file, line: 1, column: 1 };
    problems.push({ message: problem.message, hint: problem.hint, at });
  }
  return { value, problems };
}

/** The position of a problem, or of the nearest enclosing value with a known position. */
function placeOf(
  source: Source,
  { path, key }: SchemaProblem,
  map: SourceMap,
): SourceRef | undefined {
  let at: SourceRef | undefined;
  let value: Source = source;
  for (const part of path) {
    if (Array.isArray(value)) {
      at = map.value(value, part) ?? at;
      value = value[Number(part)] ?? null;
    } else if (isSourceObject(value)) {
      at = map.value(value, part) ?? at;
      value = value[part] ?? null;
    }
  }
  return key !== undefined && isSourceObject(value) ? (map.key(value, key) ?? at) : at;
}
