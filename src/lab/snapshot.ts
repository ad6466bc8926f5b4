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
 * A directory tree in memory, which can be restored again and again. Made for the small trees of lab hosts: a restore
 * reads only metadata and rewrites only what changed. Owners and extended attributes are not restored.
 */
export class TreeSnapshot {
  readonly #root: string;
  readonly #ignored: (path: string) => boolean;
  readonly #entries = new Map<string, Entry>();

  /** @param ignored paths below the root that are neither recorded nor restored */
  constructor(root: string, ignored: (path: string) => boolean = () => false) {
    this.#root = root;
    this.#ignored = ignored;
    this.#walk((path, stat) => {
      this.#entries.set(path, this.#read(path, stat));
      return true;
    });
  }

  /**
   * Makes the tree what it was: extra entries are removed, missing and changed ones are written again.
   * @returns the paths below the root that had to be restored
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
      // A changed file keeps its inode: it may be bound to another place of the host.
      if (wanted?.kind === 'file' && stat.isFile()) return false;
      if (wanted?.kind === 'directory' && stat.isDirectory()) {
        // Its mode is restored below; until then it must be possible to look into it.
        chmodSync(this.#full(path), 0o700);
        return true;
      }
      this.#remove(path, stat);
      removed.push(path);
      return false;
    });
    const changed = [...this.#entries].filter(([path]) => !same.has(path));
    for (const [path, wanted] of changed) this.#write(path, wanted);
    // Last: without permissions of its own, a directory could not be filled.
    for (const [path, wanted] of changed.reverse())
      if (wanted.kind === 'directory') chmodSync(this.#full(path), wanted.mode);
    return [...removed, ...changed.map(([path]) => path)];
  }

  /** @param visit returns whether to go into a directory */
  #walk(visit: (path: string, stat: BigIntStats) => boolean): void {
    const enter = (folder: string): void => {
      for (const name of readdirSync(folder).sort()) {
        const full = join(folder, name);
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
    if (!stat.isFile()) throw new Error(`"${full}" is neither file, directory nor link.`);
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
    // A directory without permissions cannot be emptied by its owner.
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
      // Without write permission, even the owner could not open it.
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

/** Changes with every change of content, owner or mode: a program cannot set the change time. */
function stampOf({ ino, size, mode, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mode, mtimeNs, ctimeNs].join(' ');
}
