import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { ReadEntry } from 'tar';
import { TaskError } from '../core/errors.ts';

export interface ArchiveEntry {
  /** As the archive writes it. */
  name: string;
  type: 'file' | 'directory' | 'link';
  /** Permissions in octal, such as "0755". */
  mode: string;
  /** SHA-256 in hex, of files. */
  checksum: string;
  /** What a symbolic link points at. */
  target: string;
}

const known = new Map<string, Promise<ArchiveEntry[]>>();

/** What is in a tar archive of this machine. Read once for as long as its size and time stay. @throws TaskError */
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
          refused ??= `"${entry.path}" in it is a ${entry.type}`;
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
    throw new TaskError(`"${path}" is no tar archive, or a damaged one: ${String(error)}.`, {
      cause: error,
    });
  }
  if (refused !== undefined)
    throw new TaskError(`"${path}" cannot be unpacked: ${refused}, not a file, directory or link.`);
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

/** First bytes of what our library does not read, and the host's own programs do. */
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
      `"${path}" is packed with ${kind}; from the controller come tar and tar.gz.`,
      {
        hint: 'Put it on the host with "copy" first, then unpack it with "remote_src: true".',
      },
    );
  } finally {
    await file.close();
  }
}
