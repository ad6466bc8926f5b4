import type { Problem } from '../core/errors.ts';
import { isSourceObject, type SourceObject } from '../core/value.ts';
import type { SourceMap } from './source-map.ts';

const NAMES = /(^|_)(password|passwd|passphrase|secret|token|api_?key|private_?key|credentials)$/i;
/** Shorter texts are switches and names rather than secrets. */
const MIN_LENGTH = 4;

/** Warns of variables that have the name of a secret and a value in plain text. */
export function reportSecrets(vars: SourceObject, problems: Problem[], map: SourceMap): void {
  for (const [name, value] of Object.entries(vars)) {
    if (isSourceObject(value)) reportSecrets(value, problems, map);
    if (!NAMES.test(name) || typeof value !== 'string' || value.length < MIN_LENGTH) continue;
    if (value.startsWith('/') || value === '(encrypted)') continue;
    if (map.isEncrypted(vars, name)) continue;
    problems.push({
      rule: 'plain-secret',
      message: `"${name}" looks like a secret and is in plain text.`,
      at: map.value(vars, name),
      hint: 'Encrypt it with "runner vault encrypt_string", or make it an input with "secret: true".',
    });
  }
}
