import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { ReadEntry } from 'tar';
import { TaskError } from '../core/errors.ts';

export interface ArchiveEntry {
  /** The name as the archive stores it. */
  name: string;
  type: 'file' | 'directory' | 'link';
  /** Permissions in octal, such as "0755". */
  mode: string;
  /** SHA-256 in hex, of files. */
  checksum: string;
  /** Target of a symbolic link. */
  target: string;
}

const known = new Map<string, Promise<ArchiveEntry[]>>();

/** The entries of a local tar archive. Cached until its size or modification time changes. @throws TaskError */
export async function readArchive(path: string): Promise<ArchiveEntry[]> {
  const { size, mtimeMs, ino } = await stat(path);
  const key = [path, size, mtimeMs, ino].join('\0');
  const reading = known.get(key) ?? read(path);
  known.set(key, reading);
  return reading;
}

async function read(path: string): Promise<ArchiveEntry[]> {
  await refuseOtherKinds(path);
  const { list } = await import('tar');
  const entries: ArchiveEntry[] = [];
  const sums = new Map<string, string>();
  const pending: Promise<void>[] = [];
  let refused: string | undefined;
  try {
    await list({
      file: path,
      strict: true,
      onReadEntry: (entry) => {
        const type = typeOf(entry);
        if (type === undefined) {
          refused ??= `it contains "${entry.path}", a ${entry.type}`;
          return;
        }
        const mode = ((entry.mode ?? 0o644) & 0o7777).toString(8).padStart(4, '0');
        const found = { name: entry.path, type, mode, checksum: '', target: entry.linkpath ?? '' };
        entries.push(found);
        if (entry.type === 'Link') found.checksum = sums.get(entry.linkpath ?? '') ?? '';
        else if (type === 'file') pending.push(sumOf(entry, found, sums));
      },
    });
    await Promise.all(pending);
  } catch (error) {
    throw new TaskError(`"${path}" is not a tar archive or is damaged: ${String(error)}.`, {
      cause: error,
    });
  }
  if (refused !== undefined)
    throw new TaskError(
      `Cannot unpack "${path}": ${refused}. Only files, directories and links are supported.`,
    );
  return entries;
}

function typeOf({ type }: ReadEntry): ArchiveEntry['type'] | undefined {
  if (['File', 'OldFile', 'ContiguousFile', 'Link'].includes(type)) return 'file';
  if (type === 'Directory' || type === 'GNUDumpDir') return 'directory';
  return type === 'SymbolicLink' ? 'link' : undefined;
}

function sumOf(entry: ReadEntry, found: ArchiveEntry, sums: Map<string, string>): Promise<void> {
  const hash = createHash('sha256');
  return new Promise((resolve, reject) => {
    entry.on('data', (chunk) => hash.update(chunk));
    entry.on('error', reject);
    entry.on('end', () => {
      found.checksum = hash.digest('hex');
      sums.set(entry.path, found.checksum);
      resolve();
    });
  });
}

/** First bytes of formats that our library cannot read but programs on the host can. */
const otherKinds: [string, string][] = [
  ['504b0304', 'zip'],
  ['fd377a585a00', 'xz'],
  ['425a68', 'bzip2'],
  ['28b52ffd', 'zstd'],
];

async function refuseOtherKinds(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer } = await file.read({ buffer: Buffer.alloc(8) });
    const head = buffer.toString('hex');
    const kind = otherKinds.find(([magic]) => head.startsWith(magic))?.[1];
    if (kind === undefined) return;
    throw new TaskError(
      `"${path}" is packed with ${kind}. From the controller, only tar and tar.gz are supported.`,
      {
        hint: 'Copy it to the host with "copy", then unpack it with "remote_src: true".',
      },
    );
  } finally {
    await file.close();
  }
}
