import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import type { FileEncryption } from '../../src/core/action.ts';
import {
  ageKind,
  decryptStream,
  encryptStream,
  parseIdentities,
  recipientProblem,
} from '../../src/util/age.ts';
import { itWith } from '../helpers/programs.ts';

const KIB = 1024;
let identity: string;
let recipient: string;
beforeAll(async () => {
  identity = await generateIdentity();
  recipient = await identityToRecipient(identity);
});

const encrypted = async (plain: Buffer, how: FileEncryption, piece = 10_000): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  const stream = await encryptStream(how, (bytes) => parts.push(bytes));
  for (let at = 0; at < plain.length; at += piece) stream.write(plain.subarray(at, at + piece));
  await stream.end();
  return Buffer.concat(parts);
};

const decrypted = async (
  bytes: Buffer,
  keys: Parameters<typeof decryptStream>[1],
): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  for await (const part of decryptStream(new Blob([new Uint8Array(bytes)]).stream(), keys, 'It'))
    parts.push(part);
  return Buffer.concat(parts);
};

describe('a file in the format age', () => {
  it.each([0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 3 * 64 * KIB, 400_000])(
    'has the same %d bytes after encryption and decryption',
    async (size) => {
      const plain = randomBytes(size);
      const bytes = await encrypted(plain, { recipients: [recipient] });
      expect(bytes.subarray(0, 40).toString('latin1')).toMatch(
        /^age-encryption\.org\/v1\n-> X25519/,
      );
      expect((await decrypted(bytes, { identities: [identity] })).equals(plain)).toBe(true);
    },
  );

  it('can be read by the owner of each of several public keys', async () => {
    const other = await generateIdentity();
    const recipients = [recipient, await identityToRecipient(other)];
    const bytes = await encrypted(Buffer.from('both'), { recipients });
    for (const one of [identity, other])
      expect((await decrypted(bytes, { identities: [one] })).toString()).toBe('both');
  });

  it('can be decrypted only with its passphrase', async () => {
    const bytes = await encrypted(Buffer.from('plain'), { passphrase: 'correct horse' });
    expect(ageKind(bytes.toString('latin1'))).toBe('passphrase');
    expect((await decrypted(bytes, { passphrase: 'correct horse' })).toString()).toBe('plain');
    await expect(decrypted(bytes, { passphrase: 'wrong horse' })).rejects.toThrow(
      'It is encrypted with another passphrase.',
    );
  });

  it('does not stop the event loop while a passphrase is tried', async () => {
    const withPassphrase = Buffer.from(recorded.withPassphrase, 'base64');
    const running = { turns: 0, isOver: false };
    const read = decrypted(withPassphrase, { passphrase: recorded.passphrase }).finally(() => {
      running.isOver = true;
    });
    while (!running.isOver) {
      await setImmediate();
      running.turns++;
    }
    await read;
    expect(running.turns).toBeGreaterThan(1000);
  });

  it.each([
    [
      'a cost that takes too much memory',
      / 18\n/,
      ' 21\n',
      'It needs 2 GiB of memory to be decrypted',
    ],
    ['a cost that is not a number', / 18\n/, ' 1e\n', 'invalid scrypt stanza'],
    ['a short salt', /scrypt \S+/, 'scrypt AAAA', 'invalid scrypt stanza'],
    ['another recipient', '-> scrypt', '-> other\n\n-> scrypt', 'not the only recipient'],
  ])('with a passphrase and %s is refused', async (_, part, change, why) => {
    const bytes = Buffer.from(recorded.withPassphrase, 'base64').toString('latin1');
    const changed = Buffer.from(bytes.replace(part, change), 'latin1');
    const read = decrypted(changed, { passphrase: recorded.passphrase });
    await expect(read).rejects.toThrow(why);
  });

  it('cannot be read with another private key', async () => {
    const bytes = await encrypted(Buffer.from('x'), { recipients: [recipient] });
    await expect(decrypted(bytes, { identities: [await generateIdentity()] })).rejects.toThrow(
      'It is not encrypted for any of the given keys.',
    );
  });

  it('is reported as damaged if it is truncated anywhere or a byte is changed', async () => {
    const bytes = await encrypted(randomBytes(2 * 64 * KIB + 100), { recipients: [recipient] });
    const header = bytes.indexOf('\n---');
    const chunk = 64 * KIB + 16;
    const payload = bytes.length - (2 * chunk + 116);
    const cuts = [30, header + 10, payload - 8, payload, payload + chunk, payload + 2 * chunk];
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    const damaged = [
      ...[...cuts, bytes.length - 1].map((at) => bytes.subarray(0, at)),
      changed,
      Buffer.concat([bytes, Buffer.from('x')]),
    ];
    for (const one of damaged)
      await expect(decrypted(one, { identities: [identity] })).rejects.toThrow(
        'It is damaged or incomplete',
      );
  });

  it('passes on encrypted data before more data arrives, so that memory use stays constant', async () => {
    let passed = 0;
    const stream = await encryptStream({ recipients: [recipient] }, (bytes) => {
      passed += bytes.length;
    });
    const piece = Buffer.alloc(100_000);
    for (let count = 1; count <= 50; count++) {
      stream.write(piece);
      await setImmediate();
      expect(count * piece.length - passed).toBeLessThanOrEqual(64 * KIB);
    }
    await stream.end();
  });

  it('throws the error of its writer at the end', async () => {
    const stream = await encryptStream({ recipients: [recipient] }, () => {
      throw new Error('disk full');
    });
    stream.write(Buffer.alloc(200_000));
    await setImmediate();
    stream.write(Buffer.alloc(200_000));
    await expect(stream.end()).rejects.toThrow('disk full');
  });
});

describe('public and private keys', () => {
  it('reports why a public key is not valid', async () => {
    expect(await recipientProblem(recipient)).toBeUndefined();
    expect(await recipientProblem(recipient.slice(0, -1))).toContain('damaged');
    expect(await recipientProblem('ssh-ed25519 AAAA')).toContain('must begin with "age1"');
    expect(await recipientProblem('')).toContain('must begin with "age1"');
  });

  it('names the line of an identity file that is not a private key, without its text', async () => {
    const text = `# created: today\n\n${identity}\n`;
    expect(await parseIdentities(text, 'key')).toEqual([identity]);
    const damaged = parseIdentities(`${text}${identity.slice(0, -2)}\n`, 'key');
    await expect(damaged).rejects.toThrow('Line 4 of "key" is not a private key');
    await expect(damaged).rejects.not.toThrow(identity.slice(0, 30));
    await expect(parseIdentities('# none\n', 'key')).rejects.toThrow('contains no private key');
    await expect(parseIdentities('age-encryption.org/v1\n-> scrypt x 18\n', 'key')).rejects.toThrow(
      'encrypted itself',
    );
  });
});

// Made once by age 1.1.1.
const recorded = {
  identity: 'AGE-SECRET-KEY-1QPZ4SK8SWGHKDQWHNVJ4TT3XZ0FSLC3WWCTCD5499TMEKZYE3NWS82YW9M',
  forKey:
    'YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA3ZkFmUUw1aUx2ZmFNNGU0VDhFVFJxSXVCZXo5NFRGTXFZRVFFVFVUU0JJCkc5MEFXd002YUZnRFl4QjVxVWZOZmxGekFJVUo1WldCQVdVRDdMK3duUncKLS0tIDVyNWd4Z2JqM2FNazEvWkx3WCtGQTJqTUZQUy9mZ2ptVFFUcmppbzVxN2MKIFN7H/mph5SViGmyCyLcpx84ngWUFUsjJZiUV2kWaz3lP8X7iZNfNg0j1wR37eGFDQ==',
  passphrase: 'correct horse battery',
  withPassphrase:
    'YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBFcy9CNWxDczBHb2dlN2t1VTZRNUl3IDE4CkpHZENMT3BiSEZVbXRiRzdRNHFNWFZuVFpBdXZUSm9PRVFqbWN6Uy9YalUKLS0tIGVLU1pOWXplSDJrR3VIaTVmaXlyeW9MdGdiZ21OSjRZL2xRSE5NY1FUTDQK0bSzBHygPSGmhaZOMzk2aCLLrMXWb70CGUdmRZVNjF/zohOD5l0TAWFpghOQnbUOmQ==',
};

describe('the program age', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'runner-age-'));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  it('wrote files that runner can decrypt', async () => {
    const { identity: key, passphrase } = recorded;
    const forKey = Buffer.from(recorded.forKey, 'base64');
    const withPassphrase = Buffer.from(recorded.withPassphrase, 'base64');
    expect((await decrypted(forKey, { identities: [key] })).toString()).toBe('from the age CLI\n');
    expect((await decrypted(withPassphrase, { passphrase })).toString()).toBe('from the age CLI\n');
  });

  itWith('age')('decrypts files of runner, and runner decrypts its files', async () => {
    const plain = randomBytes(300_000);
    const [key, file] = [join(dir, 'key'), join(dir, 'file.age')];
    writeFileSync(key, `${identity}\n`);
    writeFileSync(file, await encrypted(plain, { recipients: [recipient] }));
    const read = execFileSync('age', ['-d', '-i', key, file], { maxBuffer: 1_000_000 });
    expect(read.equals(plain)).toBe(true);
    const written = execFileSync('age', ['-r', recipient], { input: plain, maxBuffer: 1_000_000 });
    expect((await decrypted(written, { identities: [identity] })).equals(plain)).toBe(true);
  });

  itWith('age', 'script')('decrypts files that runner encrypted with a passphrase', async () => {
    const file = join(dir, 'phrase.age');
    writeFileSync(file, await encrypted(Buffer.from('plain\n'), { passphrase: 'correct horse' }));
    // age reads a passphrase from a terminal only.
    const screen = execFileSync('script', ['-qefc', `age -d ${file}`, '/dev/null'], {
      input: 'correct horse\n',
      env: { ...process.env, SHELL: '/bin/sh' },
    });
    expect(screen.toString()).toContain('plain');
  });
});
