import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Files of the lab itself and of the runner's records. */
const skipped = [
  /^[^/]+\/var\/lib\/lab\/boot_id$/,
  // Invocation IDs of units.
  /^[^/]+\/run\/systemd(\/|$)/,
  /^[^/]+\/var\/lib\/runner(\/|$)/,
  /^[^/]+\/\.root(\/|$)/,
];

/**
 * Maps every file, directory and link in a directory to its mode and content. Two trees are equal if and only if their maps
 * are equal.
 */
export function treeOf(root: string): Record<string, string> {
  const tree: Record<string, string> = {};
  const visit = (directory: string): void => {
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name);
      // Relative, so that the location of the root does not matter.
      const key = relative(root, path);
      if (skipped.some((pattern) => pattern.test(key))) continue;
      const stat = lstatSync(path);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) tree[key] = `link ${readlinkSync(path)}`;
      else if (stat.isDirectory()) {
        tree[key] = `directory ${mode}`;
        visit(path);
      } else if (stat.isFile()) {
        tree[key] = `file ${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
      }
    }
  };
  visit(root);
  return tree;
}

/** The files of all hosts of a lab and of the shared directory, as in treeOf(). */
export function labTree({ files }: { files: { dir: string } }): Record<string, string> {
  const both = ['hosts', 'cluster'].map((part) => treeOf(join(files.dir, part)));
  if (Object.keys(both[0] ?? {}).length === 0)
    throw new Error('The lab hosts have no files, so the comparison would be empty.');
  return Object.assign(
    {},
    ...both.map((tree, index) => prefixed(tree, index === 0 ? 'hosts' : 'cluster')),
  ) as Record<string, string>;
}

function prefixed(tree: Record<string, string>, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [`${prefix}/${key}`, value]),
  );
}
