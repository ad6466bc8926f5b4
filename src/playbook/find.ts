import { join, resolve } from 'node:path';
import type { Files } from '../core/ports.ts';
import { escapePattern } from '../util/text.ts';

/** The first file or directory of that name in a list of directories. */
export function findFile(
  files: Files,
  name: string,
  folders: readonly string[],
): string | undefined {
  return folders.map((folder) => resolve(folder, name)).find((path) => files.look(path));
}

/** `KIND/NAME.yml` of a role, or `KIND/NAME.yaml` if only that exists. */
export function yamlFile(files: Files, folder: string, kind: string, name: string): string {
  const yml = join(folder, kind, `${name}.yml`);
  const yaml = join(folder, kind, `${name}.yaml`);
  return !files.look(yml) && files.look(yaml) ? yaml : yml;
}

export function isFolder(files: Files, path: string): boolean {
  return files.look(path)?.is === 'directory';
}

/** Matches the names that a template, or a pattern with "*", can render to. */
export function likeTemplate(name: string): RegExp {
  const pattern = name
    .split(/\{\{.*?\}\}|\*/)
    .map((text) => escapePattern(text))
    .join('.*');
  return new RegExp(`^${pattern}$`);
}

/** Files that a path with templates can refer to. */
export function filesLike(files: Files, pattern: string, folders: readonly string[]): string[] {
  // A template without other text matches every file.
  if (/^\{\{[^}]*\}\}$/.test(pattern.trim())) return [];
  let found = [...folders];
  for (const segment of pattern.replaceAll(/\{\{.*?\}\}/g, '*').split('/')) {
    const like = likeTemplate(segment);
    found = found.flatMap((folder) =>
      isFolder(files, folder)
        ? files
            .names(folder)
            .filter((name) => like.test(name))
            .map((name) => join(folder, name))
        : [],
    );
  }
  return [...new Set(found)].filter((path) => !isFolder(files, path));
}

/** All files in a directory and its subdirectories. */
export function* filesBelow(files: Files, folder: string): Generator<string> {
  if (!isFolder(files, folder)) return;
  for (const name of files.names(folder)) {
    const path = join(folder, name);
    if (isFolder(files, path)) yield* filesBelow(files, path);
    else yield path;
  }
}
