import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What the lab itself or the runner's own records put there. */
const skipped = [
  /^[^/]+\/var\/lib\/lab\/boot_id$/,
  // Numbers of starts of units.
  /^[^/]+\/run\/systemd(\/|$)/,
  /^[^/]+\/var\/lib\/runner(\/|$)/,
  /^[^/]+\/\.root(\/|$)/,
];

/**
 * Every file, folder and link below a folder with its mode and content, so that two trees are equal exactly when
 * their maps are.
 */
export function treeOf(root: string): Record<string, string> {
  const tree: Record<string, string> = {};
  const visit = (folder: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      // Below the root: where that itself lies must not matter.
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

/** The state of all hosts of a lab and of what they share. */
export function labTree({ files }: { files: { dir: string } }): Record<string, string> {
  const both = ['hosts', 'cluster'].map((part) => treeOf(join(files.dir, part)));
  if (Object.keys(both[0] ?? {}).length === 0)
    throw new Error('The hosts of the lab have no files: nothing would be compared.');
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
