import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ControllerDisk, FileKind, Files } from '../core/ports.ts';
import { readArchive } from './archive.ts';
import { digestFile } from './digest.ts';
import { readDirectory } from './directory.ts';

/** The files of this machine. */
export const localFiles: Files = {
  text: (path) => readFileSync(path, 'utf8'),
  look: (path) => {
    try {
      return kindOf(path);
    } catch {
      return undefined;
    }
  },
  names: (directory) => readdirSync(directory),
};

export const localDisk: ControllerDisk = {
  ...localFiles,
  find: (path) => {
    try {
      return kindOf(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
  bytes: (path) => readFileSync(path),
  read: (path) => readFile(path),
  beginning: (path, bytes) => {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(file, buffer, 0, bytes, 0));
    } finally {
      closeSync(file);
    }
  },
  digest: digestFile,
  tree: readDirectory,
  archive: readArchive,
};

function kindOf(path: string): FileKind {
  const found = statSync(path);
  const is = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other';
  return { is, size: found.size };
}
