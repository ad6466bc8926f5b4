import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../core/json.ts';
import type { JsonSchema } from '../core/module.ts';
import { packageRoot } from '../util/package.ts';
import { validateValue } from '../util/schema.ts';

let schema: JsonSchema | undefined;

/** Violations of `schemas/mke-config.schema.json` in an MKE 4 configuration, as messages. */
export function schemaProblems(config: JsonObject): string[] {
  const file = join(packageRoot(), 'schemas', 'mke-config.schema.json');
  schema ??= JSON.parse(readFileSync(file, 'utf8')) as JsonSchema;
  return validateValue(schema, config).map(({ message }) => message);
}
