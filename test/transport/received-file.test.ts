import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { ReceivedFile } from '../../src/transport/received-file.ts';
import { decryptStream } from '../../src/util/age.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'runner-received-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const line = 'a line of plain text\n';
const plain = line.repeat(10_000);

describe('a received file', () => {
  it('is published with mode 0600 when it is complete', async () => {
    const to = join(dir, 'new', 'file');
    const file = await ReceivedFile.create({ to });
    for (const half of [plain.slice(0, 100_000), plain.slice(100_000)])
      file.write(Buffer.from(half));
    file.end();
    expect(existsSync(to)).toBe(false);
    await file.complete();
    await file.publish();
    expect(file.checksum).toBe(sha256(plain));
    expect(readFileSync(to, 'utf8')).toBe(plain);
    expect(statSync(to).mode & 0o777).toBe(0o600);
  });

  it('never writes plain text to the disk if it is encrypted', async () => {
    const identity = await generateIdentity();
    const recipients = [await identityToRecipient(identity)];
    const to = join(dir, 'file.age');
    const file = await ReceivedFile.create({ to, encrypt: { recipients } });
    file.write(Buffer.from(plain));
    await new Promise(setImmediate);
    const [half = ''] = readdirSync(dir);
    expect(statSync(join(dir, half)).size).toBeGreaterThan(100_000);
    expect(readFileSync(join(dir, half), 'latin1')).not.toContain('plain');
    file.end();
    await file.complete();
    await file.publish();
    expect(file.checksum).toBe(sha256(plain));
    expect(readdirSync(dir)).toEqual(['file.age']);
    expect(statSync(to).mode & 0o777).toBe(0o600);
    const parts: Uint8Array[] = [];
    const bytes = new Blob([readFileSync(to)]).stream();
    for await (const part of decryptStream(bytes, { identities: [identity] }, 'It'))
      parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe(plain);
  });

  it.each([true, false])(
    'keeps the previous file and leaves no temporary file if it is discarded (encrypted: %s)',
    async (encrypted) => {
      const recipients = [await identityToRecipient(await generateIdentity())];
      const to = join(dir, 'file');
      writeFileSync(to, 'earlier');
      const file = await ReceivedFile.create(encrypted ? { to, encrypt: { recipients } } : { to });
      file.write(Buffer.from(plain));
      await new Promise(setImmediate);
      await file.discard();
      file.write(Buffer.from(plain));
      file.end();
      await new Promise(setImmediate);
      expect(readdirSync(dir)).toEqual(['file']);
      expect(readFileSync(to, 'utf8')).toBe('earlier');
    },
  );

  it('fails if its directory cannot be created', async () => {
    const below = join(dir, 'a-file');
    writeFileSync(below, '');
    const recipients = [await identityToRecipient(await generateIdentity())];
    const file = await ReceivedFile.create({ to: join(below, 'file'), encrypt: { recipients } });
    file.write(Buffer.from(plain));
    file.end();
    await expect(file.complete()).rejects.toThrow(/file" cannot be written: /);
  });

  it('fails if its path is a directory, and leaves no temporary file', async () => {
    const to = join(dir, 'taken');
    mkdirSync(join(to, 'content'), { recursive: true });
    const file = await ReceivedFile.create({ to });
    file.write(Buffer.from(plain));
    file.end();
    await file.complete();
    await expect(file.publish()).rejects.toMatchObject({
      code: 'TASK_FAILED',
      message: `"${to}" cannot be written: illegal operation on a directory.`,
    });
    await file.discard();
    expect(readdirSync(dir)).toEqual(['taken']);
  });

  it('fails if the recipient key is not valid', async () => {
    const encrypt = { recipients: ['age1none'] };
    const made = ReceivedFile.create({ to: join(dir, 'file'), encrypt });
    await expect(made).rejects.toMatchObject({ code: 'TASK_FAILED' });
  });

  it('replaces an old temporary file instead of keeping its mode', async () => {
    const to = join(dir, 'file');
    writeFileSync(`${to}.runner-tmp`, 'left');
    chmodSync(`${to}.runner-tmp`, 0o644);
    const file = await ReceivedFile.create({ to });
    file.end();
    await file.complete();
    await file.publish();
    expect(statSync(to).mode & 0o777).toBe(0o600);
    expect(readFileSync(to, 'utf8')).toBe('');
  });
});
