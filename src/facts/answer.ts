import { TaskError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';

/**
 * Fails unless the command of a fact succeeded.
 *
 * @param what the problem, as a sentence without its full stop
 * @param noProgram hint if the host does not have the program
 * @throws TaskError
 */
export function requireAnswer(
  { code, stderr }: CommandOutput,
  what: string,
  noProgram?: string,
): void {
  if (code === 0) return;
  throw new TaskError(`${what}: ${stderr.trim() || `exit code ${String(code)}`}`, {
    hint: code === 127 ? noProgram : undefined,
  });
}
