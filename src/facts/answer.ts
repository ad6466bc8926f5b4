import { TaskError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';

/**
 * A fact answers or fails; it never guesses.
 *
 * @param what the answer that is missing, as a sentence without its end
 * @param noProgram hint where the host does not have the program
 * @throws TaskError
 */
export function requireAnswer(
  { code, stderr }: CommandOutput,
  what: string,
  noProgram?: string,
): void {
  if (code === 0) return;
  throw new TaskError(`${what}: ${stderr.trim() || `code ${String(code)}`}`, {
    hint: code === 127 ? noProgram : undefined,
  });
}
