import type { ControllerDisk } from '../core/ports.ts';

/** In-memory files of a controller without a disk. */
export function memoryFiles(texts: Readonly<Record<string, string>>): ControllerDisk {
  const text = (path: string): string => {
    const found = texts[path];
    if (found !== undefined) return found;
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  };
  const look: ControllerDisk['look'] = (path) => {
    const found = texts[path];
    if (found !== undefined) return { is: 'file', size: found.length };
    const isDirectory = Object.keys(texts).some((name) => name.startsWith(`${path}/`));
    return isDirectory ? { is: 'directory', size: 0 } : undefined;
  };
  const none = (): Promise<never> => Promise.reject(new Error('Not supported in a simulation.'));
  return {
    text,
    look,
    find: look,
    digest: none,
    tree: none,
    archive: none,
    names: (directory) =>
      Object.keys(texts).flatMap((name) => {
        const [own = ''] = name.slice(directory.length + 1).split('/');
        return name.startsWith(`${directory}/`) ? [own] : [];
      }),
    bytes: (path) => Buffer.from(text(path)),
    read: (path) => Promise.resolve().then(() => Buffer.from(text(path))),
    beginning: (path, bytes) => Buffer.from(text(path)).subarray(0, bytes),
  };
}
