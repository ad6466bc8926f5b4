import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { FileDigest } from '../core/ports.ts';

/** In hex. */
export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const known = new Map<string, Promise<FileDigest>>();

/** Size and checksum of a local file. Cached for all hosts until its size or modification time changes. */
export async function digestFile(path: string): Promise<FileDigest> {
  const { size, mtimeMs, ino, mode: bits } = await stat(path);
  const mode = (bits & 0o7777).toString(8).padStart(4, '0');
  const key = [path, size, mtimeMs, ino, mode].join('\0');
  const found = known.get(key);
  if (found) return found;
  const reading = (async () => {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
    return { path, size, mode, checksum: hash.digest('hex') };
  })();
  known.set(key, reading);
  return reading;
}
