import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TaskError } from '../core/errors.ts';

export interface DirectoryEntry {
  /** Path relative to the directory, with slashes. */
  path: string;
  type: 'file' | 'directory';
  /** Permissions in octal, such as "0755". */
  mode: string;
}

/**
 * All entries below a local directory, sorted by name, directories before their contents. Links are followed.
 *
 * @throws TaskError for broken or circular links, and for other kinds of files
 */
export async function readDirectory(root: string): Promise<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  const visit = async (directory: string, above: readonly string[]): Promise<void> => {
    const real = await realpath(join(root, directory));
    if (above.includes(real))
      throw new TaskError(`"${join(root, directory)}" is a link to one of its parent directories.`);
    const names = await readdir(real);
    for (const name of names.sort()) {
      const path = directory === '' ? name : `${directory}/${name}`;
      if (name.includes('\n'))
        throw new TaskError(`"${join(root, path)}" has a line end in its name.`);
      const info = await stat(join(real, name)).catch((error: unknown) => {
        throw new TaskError(`"${join(root, path)}" cannot be read: ${(error as Error).message}.`, {
          cause: error,
        });
      });
      const mode = (info.mode & 0o7777).toString(8).padStart(4, '0');
      if (info.isFile()) entries.push({ path, type: 'file', mode });
      else if (info.isDirectory()) {
        entries.push({ path, type: 'directory', mode });
        await visit(path, [...above, real]);
      } else throw new TaskError(`"${join(root, path)}" is neither file nor directory.`);
    }
  };
  await visit('', []);
  return entries;
}
