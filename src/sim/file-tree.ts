import { createHash } from 'node:crypto';
import { dirname } from 'node:path';

export interface TreeNode {
  type: 'file' | 'directory' | 'link';
  /** Octal without a leading zero, as stat(1) prints it. */
  mode: string;
  owner: string;
  group: string;
  /** Bytes of a file; target of a link. */
  content: Buffer;
}

const ids: Readonly<Record<string, number>> = { root: 0, app: 1000, web: 1001 };

/** Files of a model host. Errors have the texts of the real programs. */
export class FileTree {
  readonly #nodes = new Map<string, TreeNode>();

  constructor() {
    for (const path of ['/', '/etc', '/srv', '/var']) this.#nodes.set(path, directory());
  }

  get(path: string): TreeNode | undefined {
    return this.#nodes.get(path);
  }

  set(path: string, node: TreeNode): void {
    if (this.#nodes.get(dirname(path))?.type !== 'directory')
      throw new Error(`${path}: No such file or directory`);
    this.#nodes.set(path, node);
  }

  /** Replaces a file. Attributes that are not given are kept from the old file. */
  publish(
    path: string,
    content: Buffer,
    { mode, owner, group }: { mode?: string; owner?: string; group?: string } = {},
  ): void {
    const before = this.#nodes.get(path);
    if (before?.type === 'directory') throw new Error(`${path}: Is a directory`);
    const { mode: old = '644', owner: user = 'root', group: team = 'root' } = before ?? {};
    this.set(path, {
      type: 'file',
      mode: digits(mode ?? old),
      content,
      owner: owner ?? user,
      group: group ?? team,
    });
  }

  makeDirectories(path: string): void {
    if (path !== '/') this.makeDirectories(dirname(path));
    const found = this.#nodes.get(path);
    if (found && found.type !== 'directory') throw new Error(`${path}: File exists`);
    if (!found) this.#nodes.set(path, directory());
  }

  remove(path: string): void {
    for (const name of this.below(path)) this.#nodes.delete(name);
  }

  /** The path and everything below it, sorted by name. */
  below(path: string): string[] {
    const names = [...this.#nodes.keys()];
    return names.filter((name) => name === path || name.startsWith(`${path}/`)).sort();
  }

  /** The whole tree, for `load`. Nodes are immutable, so a shallow copy is enough. */
  save(): ReadonlyMap<string, TreeNode> {
    return new Map(this.#nodes);
  }

  load(nodes: ReadonlyMap<string, TreeNode>): void {
    this.#nodes.clear();
    for (const [path, node] of nodes) this.#nodes.set(path, node);
  }

  /** Names in a directory. */
  children(path: string): string[] {
    const names = this.below(path).map((name) => name.slice(path.length + 1));
    return names.filter((name) => name !== '' && !name.includes('/'));
  }

  chmod(path: string, mode: string, recurse = false): void {
    this.#change(path, recurse, (node) => ({ ...node, mode: digits(mode) }));
  }

  chown(path: string, { owner, group }: { owner?: string; group?: string }, recurse = false): void {
    this.#change(path, recurse, (node) => ({
      ...node,
      owner: owner ?? node.owner,
      group: group ?? node.group,
    }));
  }

  #change(path: string, recurse: boolean, change: (node: TreeNode) => TreeNode): void {
    if (!this.#nodes.has(path)) throw new Error(`${path}: No such file or directory`);
    for (const name of recurse ? this.below(path) : [path]) {
      const node = this.#nodes.get(name);
      if (node) this.#nodes.set(name, change(node));
    }
  }

  /** Copy of a part of the tree, for `paste`. */
  copyOf(path: string): Map<string, TreeNode> {
    const own = this.below(path).map((name): [string, TreeNode] => {
      const node = this.#nodes.get(name) ?? directory();
      return [name.slice(path.length), { ...node, content: Buffer.from(node.content) }];
    });
    return new Map(own);
  }

  paste(path: string, copy: ReadonlyMap<string, TreeNode>): void {
    this.remove(path);
    for (const [name, node] of copy) this.set(`${path}${name}`, { ...node });
  }

  /** A line for each path, for comparison. */
  lines(): string[] {
    return [...this.#nodes].map(([name, node]) => `${name} ${line(node)}`).sort();
  }
}

/** What file_state prints for a path. */
export function stateText(node: TreeNode | undefined, path: string): string {
  if (!node) return 'absent\n';
  const { type, mode, owner, group, content } = node;
  const who = `${String(idOf(owner))}|${String(idOf(group))}|${owner}|${group}`;
  const first = `${type}|${mode}|${who}|${String(content.length)}|0\n`;
  if (type === 'file') return `${first}${sumOf(content)}  ${path}\n`;
  return type === 'link' ? `${first}${content.toString()}\n` : first;
}

/** What tree_sum prints for a directory. */
export function treeText(copy: ReadonlyMap<string, TreeNode>): string {
  if (copy.get('')?.type !== 'directory') return 'absent\n';
  return `${sumOf(Buffer.from([...copy].map(([name, node]) => `${name} ${line(node)}\n`).join('')))}\n`;
}

function line({ type, mode, owner, group, content }: TreeNode): string {
  return `${type} ${mode} ${owner}:${group} ${type === 'directory' ? '' : sumOf(content)}`;
}

function sumOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function idOf(name: string): number {
  return ids[name] ?? 2000;
}

function digits(mode: string): string {
  return mode.replace(/^0+(?=.)/, '');
}

function directory(): TreeNode {
  return {
    type: 'directory',
    mode: '755',
    owner: 'root',
    group: 'root',
    content: Buffer.alloc(0),
  };
}
