import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  type BigIntStats,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

type Entry =
  | { kind: 'directory'; mode: number }
  | { kind: 'link'; target: string }
  | { kind: 'file'; mode: number; content: Buffer; stamp: string };

/**
 * A copy of a directory tree in memory, which can be restored repeatedly. For the small trees of lab hosts: restoring reads only
 * metadata and rewrites only changed files. Owners and extended attributes are not restored.
 */
export class TreeSnapshot {
  readonly #root: string;
  readonly #ignored: (path: string) => boolean;
  readonly #entries = new Map<string, Entry>();

  /** @param ignored selects paths, relative to the root, that are neither recorded nor restored */
  constructor(root: string, ignored: (path: string) => boolean = () => false) {
    this.#root = root;
    this.#ignored = ignored;
    this.#walk((path, stat) => {
      this.#entries.set(path, this.#read(path, stat));
      return true;
    });
  }

  /**
   * Restores the tree: removes additional entries and rewrites missing and changed ones.
   * @returns the restored paths, relative to the root
   */
  restore(): string[] {
    const same = new Set<string>();
    const removed: string[] = [];
    this.#walk((path, stat) => {
      const wanted = this.#entries.get(path);
      if (wanted && this.#isSame(path, stat, wanted)) {
        same.add(path);
        return true;
      }
      // A changed file keeps its inode, because it can be bind-mounted elsewhere.
      if (wanted?.kind === 'file' && stat.isFile()) return false;
      if (wanted?.kind === 'directory' && stat.isDirectory()) {
        // The mode is restored below. Until then, the directory must be readable.
        chmodSync(this.#full(path), 0o700);
        return true;
      }
      this.#remove(path, stat);
      removed.push(path);
      return false;
    });
    const changed = [...this.#entries].filter(([path]) => !same.has(path));
    for (const [path, wanted] of changed) this.#write(path, wanted);
    // Restore modes of directories last, because files could not be written without permissions.
    for (const [path, wanted] of changed.reverse())
      if (wanted.kind === 'directory') chmodSync(this.#full(path), wanted.mode);
    return [...removed, ...changed.map(([path]) => path)];
  }

  /** @param visit returns whether to descend into a directory */
  #walk(visit: (path: string, stat: BigIntStats) => boolean): void {
    const enter = (directory: string): void => {
      for (const name of readdirSync(directory).sort()) {
        const full = join(directory, name);
        const path = relative(this.#root, full);
        if (this.#ignored(path)) continue;
        const stat = lstatSync(full, { bigint: true });
        if (visit(path, stat) && stat.isDirectory()) enter(full);
      }
    };
    enter(this.#root);
  }

  #full(path: string): string {
    return join(this.#root, path);
  }

  #read(path: string, stat: BigIntStats): Entry {
    const full = this.#full(path);
    const mode = modeOf(stat);
    if (stat.isDirectory()) return { kind: 'directory', mode };
    if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(full) };
    if (!stat.isFile()) throw new Error(`"${full}" is not a file, directory or symbolic link.`);
    return { kind: 'file', mode, content: readFileSync(full), stamp: stampOf(stat) };
  }

  #isSame(path: string, stat: BigIntStats, wanted: Entry): boolean {
    switch (wanted.kind) {
      case 'directory':
        return stat.isDirectory() && modeOf(stat) === wanted.mode;
      case 'link':
        return stat.isSymbolicLink() && readlinkSync(this.#full(path)) === wanted.target;
      case 'file':
        return stat.isFile() && stampOf(stat) === wanted.stamp;
    }
  }

  #remove(path: string, stat: BigIntStats): void {
    const full = this.#full(path);
    if (!stat.isDirectory()) {
      unlinkSync(full);
      return;
    }
    // Without permissions, even the owner cannot empty a directory.
    chmodSync(full, 0o700);
    rmSync(full, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  }

  #write(path: string, wanted: Entry): void {
    const full = this.#full(path);
    mkdirSync(dirname(full), { recursive: true });
    if (wanted.kind === 'directory') {
      mkdirSync(full, { recursive: true });
    } else if (wanted.kind === 'link') {
      symlinkSync(wanted.target, full);
    } else {
      const found = lstatSync(full, { throwIfNoEntry: false });
      // Without write permission, even the owner cannot open the file.
      if (found?.isFile()) chmodSync(full, 0o600);
      writeFileSync(full, wanted.content);
      chmodSync(full, wanted.mode);
      wanted.stamp = stampOf(lstatSync(full, { bigint: true }));
    }
  }
}

function modeOf({ mode }: BigIntStats): number {
  return Number(mode & 0o7777n);
}

/** Identifies a version of a file. Programs cannot set the change time, so every change of content, owner or mode shows. */
function stampOf({ ino, size, mode, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mode, mtimeNs, ctimeNs].join(' ');
}
