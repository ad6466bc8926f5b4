import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';

/** The ID that the kernel generates at each boot. */
export const bootId: Fact<[], string> = {
  name: 'boot.id',
  command: () => ({ script: 'cat /proc/sys/kernel/random/boot_id' }),
  parse({ stdout, stderr }) {
    const id = stdout.trim();
    if (/^[0-9a-f-]{36}$/.test(id)) return id;
    throw new TaskError(`Cannot read the boot ID: ${stderr.trim() || id || 'no answer'}`);
  },
};
