import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemReason, TaskError } from '../core/errors.ts';
import type { KeptFile } from '../core/module.ts';
import type { Redactor } from './redact.ts';

/** Creates the writer of files for the operator. */
export function keptBy(redactor: Pick<Redactor, 'mask'>): (file: KeptFile) => void {
  return ({ path, content, masked }) => {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, masked ? redactor.mask(content) : content, { mode: 0o600 });
      // The mode above applies to new files only.
      chmodSync(path, 0o600);
    } catch (error) {
      throw new TaskError(`"${path}" cannot be written: ${systemReason(error)}.`, {
        hint: 'Use another directory, or free disk space.',
      });
    }
  };
}
