import { readFileSync } from 'node:fs';
import { errorMessage, UsageError } from '../../core/errors.ts';
import { expandHome } from '../../util/paths.ts';

/** A host pattern. `@FILE` names a file with one host or pattern per line. @throws UsageError */
export function limitOf({ limit }: { limit?: string }): string | undefined {
  if (limit?.startsWith('@') !== true) return limit;
  const file = limit.slice(1);
  let text: string;
  try {
    text = readFileSync(expandHome(file), 'utf8');
  } catch (error) {
    throw new UsageError(`--limit: cannot read "${file}": ${errorMessage(error)}.`);
  }
  const names = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const kept = names.filter((name) => name !== '');
  if (kept.length > 0) return kept.join(',');
  throw new UsageError(`--limit: "${file}" contains no hosts.`);
}
