import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** In hex. */
export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface FileDigest {
  path: string;
  /** Bytes. */
  size: number;
  /** SHA-256 in hex. */
  checksum: string;
}

const known = new Map<string, Promise<FileDigest>>();

/** Size and checksum of a local file. Read once for as long as its size and time stay, however many hosts ask. */
export async function digestFile(path: string): Promise<FileDigest> {
  const { size, mtimeMs, ino } = await stat(path);
  const key = [path, size, mtimeMs, ino].join('\0');
  const found = known.get(key);
  if (found) return found;
  const reading = (async () => {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
    return { path, size, checksum: hash.digest('hex') };
  })();
  known.set(key, reading);
  return reading;
}
