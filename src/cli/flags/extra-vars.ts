import { resolve } from 'node:path';
import { fieldsAsWritten, isSourceObject } from '../../core/value.ts';
import { PlaybookError, UsageError, type Problem } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { connectionVariable } from '../../util/connection-variables.ts';
import { localFiles } from '../../util/local-files.ts';
import { expandHome } from '../../util/paths.ts';
import type { Vault } from '../../util/vault.ts';
import { SourceMap } from '../../yaml/source-map.ts';
import { readYaml } from '../../yaml/yaml.ts';

/**
 * Parses `name=text`, `name:=json`, `{json}` and `@file` with YAML or JSON. Later values override
 * earlier ones.
 * @throws UsageError or PlaybookError
 */
export function parseExtraVars(words: string[], vault: Vault): JsonObject {
  const values: JsonObject = {};
  for (const word of words) {
    if (word.startsWith('@')) {
      Object.assign(values, variablesIn(word.slice(1), vault));
      continue;
    }
    if (/^\s*\{/.test(word)) {
      const whole = fromJson(word, word);
      Object.assign(values, isJsonObject(whole) ? whole : {});
      continue;
    }
    const parts = /^([A-Za-z_][A-Za-z0-9_]*)(:?=)([\s\S]*)$/.exec(word);
    const [, name = '', kind, text = ''] = parts ?? [];
    if (!parts)
      throw new UsageError(
        `--extra-vars expects NAME=VALUE, NAME:=JSON, {JSON} or @FILE, not "${word}".`,
      );
    values[name] = kind === ':=' ? fromJson(text, name) : text;
  }
  return values;
}

/** Resolves relative paths of private keys against the working directory. */
export function withKeyPaths(extra: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(extra).map(([name, value]) =>
      /^ansible_(ssh_)?private_key_file$/.test(name) && typeof value === 'string'
        ? [name, resolve(expandHome(value))]
        : [name, value],
    ),
  );
}

/**
 * Notes about connection variables that runner ignores.
 * @throws UsageError for passwords, which a later resume or rollback could not read again
 */
export function connectionNotes(extra: JsonObject): string[] {
  return Object.keys(extra).flatMap((name) => {
    const row = connectionVariable(name);
    if (row?.is === 'supported' && row.as.includes('password'))
      throw new UsageError(`--extra-vars does not accept the password "${name}".`, {
        hint: 'Use --ask-pass, --ask-become-pass, a password file, or the inventory.',
      });
    if (row?.is !== 'named') return [];
    return [`--extra-vars: "${name}" is ignored. ${row.hint}`];
  });
}

function fromJson(text: string, what: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new UsageError(`--extra-vars ${what}: "${text}" is not JSON.`, { cause: error });
  }
}

function variablesIn(file: string, vault: Vault): JsonObject {
  const problems: Problem[] = [];
  const map = new SourceMap(vault);
  const value = readYaml(expandHome(file), { files: localFiles, problems, map });
  if (problems.length > 0) throw new PlaybookError(problems);
  // Values from the command line are not rendered as templates.
  if (isSourceObject(value)) return fieldsAsWritten(value);
  throw new UsageError(`--extra-vars: "${file}" is not a map of names and values.`);
}
