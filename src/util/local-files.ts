import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Files } from '../core/ports.ts';

/** The files of this machine. */
export const localFiles: Files = {
  text: (path) => readFileSync(path, 'utf8'),
  look: (path) => {
    try {
      const found = statSync(path);
      const is = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other';
      return { is, size: found.size };
    } catch {
      return undefined;
    }
  },
  names: (directory) => readdirSync(directory),
};
