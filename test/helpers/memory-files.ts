import { dirname } from 'node:path';
import type { Files } from '../../src/core/ports.ts';

/** Files that exist only in memory. @param texts by absolute path */
export function memoryFiles(texts: Readonly<Record<string, string>>): Files {
  const paths = Object.keys(texts);
  const inside = (directory: string) => paths.filter((path) => path.startsWith(`${directory}/`));
  return {
    text: (path) => {
      const text = texts[path];
      if (text !== undefined) return text;
      throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    },
    look: (path) => {
      const text = texts[path];
      if (text !== undefined) return { is: 'file', size: text.length };
      return inside(path).length > 0 ? { is: 'directory', size: 0 } : undefined;
    },
    names: (directory) => {
      const below = inside(directory).map((path) => path.slice(directory.length + 1));
      return [...new Set(below.map((path) => path.split('/')[0] ?? ''))].filter(
        (name) => name !== '' && dirname(name) === '.',
      );
    },
  };
}
