import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Command lines of all processes below a mounted /proc, words separated by spaces. */
export function commandLines(proc = '/proc'): string[] {
  const processes = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  return processes.flatMap((id) => {
    try {
      return [
        readFileSync(join(proc, id, 'cmdline'), 'utf8')
          .replaceAll('\0', ' ')
          .trim(),
      ];
    } catch {
      // The process ended meanwhile.
      return [];
    }
  });
}
