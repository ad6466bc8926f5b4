import { execFileSync } from 'node:child_process';
import { UsageError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { SourceObject } from '../core/value.ts';
import { readTexts } from '../template/read-text.ts';
import type { GroupTree } from './groups.ts';

const TIME_LIMIT_MS = 60_000;

/**
 * Reads hosts from an inventory program, as Ansible does. `PROGRAM --list` prints JSON with one key
 * for each group (`hosts`, `vars`, `children`), and host variables in `_meta.hostvars`. Without
 * `_meta`, `PROGRAM --host NAME` prints the variables of a host.
 * @throws UsageError if the program fails, takes too long or prints something else
 */
export function fromScript(program: string, tree: GroupTree): void {
  const value = answerOf(program, ['--list']);
  fill(tree, value, (host) => answerOf(program, ['--host', host]));
}

/** Runs the program and parses its output. */
function answerOf(program: string, words: string[]): JsonObject {
  let text: string;
  try {
    text = execFileSync(program, words, {
      encoding: 'utf8',
      timeout: TIME_LIMIT_MS,
      maxBuffer: 256 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const {
      stderr = '',
      code,
      signal,
    } = error as { stderr?: string; code?: string; signal?: string };
    const why =
      signal === 'SIGTERM' ? `no answer in ${String(TIME_LIMIT_MS / 1000)} s` : stderr.trim();
    throw new UsageError(
      `The inventory program "${program}" failed: ${why || (code ?? 'no output')}`,
      {
        hint: 'Run "chmod -x" on the file if it is not a program: executable inventory files are run with --list.',
        cause: error,
      },
    );
  }
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    const shown = text.slice(0, 100);
    throw new UsageError(`The inventory program "${program}" did not print JSON: ${shown}`, {
      cause: error,
    });
  }
  if (isJsonObject(value)) return value;
  throw new UsageError(`The inventory program "${program}" did not print a map of groups.`);
}

function fill(
  tree: GroupTree,
  { _meta: meta, ...groups }: JsonObject,
  varsOf: (host: string) => JsonObject,
): void {
  tree.markAnsible();
  const asked = new Set<string>();
  for (const [name, value] of Object.entries(groups)) {
    const group = Array.isArray(value) ? { hosts: value } : isJsonObject(value) ? value : {};
    tree.group(name);
    for (const host of strings(group['hosts'])) {
      tree.addHost(name, host);
      if (meta === undefined && !asked.has(host)) tree.setHostVars(host, sourceOf(varsOf(host)));
      asked.add(host);
    }
    for (const child of strings(group['children'])) tree.addChild(name, child);
    if (isJsonObject(group['vars'])) Object.assign(tree.group(name).vars, readTexts(group['vars']));
  }
  const hostvars = isJsonObject(meta) ? meta['hostvars'] : undefined;
  for (const [host, vars] of Object.entries(isJsonObject(hostvars) ? hostvars : {}))
    if (isJsonObject(vars)) tree.setHostVars(host, sourceOf(vars));
}

const sourceOf = (vars: JsonObject): SourceObject => readTexts(vars) as SourceObject;

function strings(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
