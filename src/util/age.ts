import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import type { Identity } from 'age-encryption';
import type { FileEncryption } from '../core/action.ts';
import { errorMessage, RunnerError, SecretError } from '../core/errors.ts';

/*
 * Files in the format age (https://age-encryption.org/v1). The library is loaded on first use. Its streams
 * work without timers: data written in one turn of the event loop is encrypted in that turn, so memory use stays small.
 */

/** Base-2 logarithm of the scrypt cost, the same as in the program age. */
const WORK_FACTOR = 18;
/** Files with a higher cost are refused: the derivation takes 2^factor KiB, here 1 GiB. */
const MAX_WORK_FACTOR = 20;

/** A writer of an encrypted file. */
export interface EncryptedStream {
  write(bytes: Uint8Array): void;
  /** Writes the end of the file and resolves when all bytes were passed on. @throws what `pass` threw */
  end(): Promise<void>;
}

/**
 * Begins an encrypted file. Deriving a key from a passphrase takes about a second, outside the event loop.
 * @param pass receives the encrypted bytes in order
 */
export async function encryptStream(
  how: FileEncryption,
  pass: (bytes: Uint8Array) => void,
): Promise<EncryptedStream> {
  const { Encrypter, Stanza } = await import('age-encryption');
  const encrypter = new Encrypter();
  if ('passphrase' in how) {
    const wrapFileKey = async (fileKey: Uint8Array) => {
      const { salt, body } = await wrapWithPassphrase(fileKey, how.passphrase);
      return [new Stanza(['scrypt', salt, String(WORK_FACTOR)], body)];
    };
    encrypter.addRecipient({ wrapFileKey });
  } else for (const recipient of how.recipients) encrypter.addRecipient(recipient);
  let input: ReadableStreamDefaultController<Uint8Array> | undefined;
  const plain = new ReadableStream<Uint8Array>({
    start: (controller) => {
      input = controller;
    },
  });
  let failed = false;
  const done = passOn(await encrypter.encrypt(plain), pass);
  done.catch(() => {
    // `end` reports the error. The stream accepts no further data.
    failed = true;
  });
  return {
    write: (bytes) => {
      if (!failed) input?.enqueue(bytes);
    },
    end: () => {
      if (!failed) input?.close();
      return done;
    },
  };
}

/** Each derivation takes 256 MiB or more, so they run one at a time. */
let derivation: Promise<unknown> = Promise.resolve();

/**
 * The key of a "scrypt" stanza. The implementation of the library blocks the event loop, and with it every connection, for a
 * second or more.
 * @param factor base-2 logarithm of the cost
 */
async function deriveKey(passphrase: string, salt: Uint8Array, factor: number): Promise<Buffer> {
  const labelled = Buffer.concat([Buffer.from('age-encryption.org/v1/scrypt'), salt]);
  const N = 2 ** factor;
  const derive = () =>
    new Promise<Buffer>((resolve, reject) => {
      scrypt(passphrase, labelled, 32, { N, r: 8, p: 1, maxmem: 2048 * N }, (error, key) => {
        if (error) reject(error);
        else resolve(key);
      });
    });
  const derived = derivation.then(derive);
  derivation = derived.catch(() => undefined);
  return derived;
}

/** The format requires a zero nonce. That is safe, because a key is used once. */
const NONCE = Buffer.alloc(12);
const TAG = { authTagLength: 16 };

async function wrapWithPassphrase(
  fileKey: Uint8Array,
  passphrase: string,
): Promise<{ salt: string; body: Uint8Array }> {
  const salt = randomBytes(16);
  const key = await deriveKey(passphrase, salt, WORK_FACTOR);
  const cipher = createCipheriv('chacha20-poly1305', key, NONCE, TAG);
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  return { salt: salt.toString('base64').replace(/=+$/, ''), body: new Uint8Array(body) };
}

/** @param what the file, for messages */
function passphraseIdentity(passphrase: string, what: string): Identity {
  return {
    unwrapFileKey: async (stanzas) => {
      const [stanza, ...others] = stanzas.filter(({ args: [kind] }) => kind === 'scrypt');
      if (!stanza) return null;
      // The rules of https://age-encryption.org/v1, "The scrypt recipient type".
      if (others.length > 0 || stanzas.length > 1)
        throw new Error('a passphrase is not the only recipient');
      const [, salt = '', factor = '', ...rest] = stanza.args;
      const isValid = /^[\w+/]{22}$/.test(salt) && /^[1-9]\d?$/.test(factor) && rest.length === 0;
      if (!isValid || stanza.body.length !== 32) throw new Error('invalid scrypt stanza');
      if (Number(factor) > MAX_WORK_FACTOR)
        throw new SecretError(
          `${what} needs ${String(2 ** (Number(factor) - MAX_WORK_FACTOR))} GiB of memory to be decrypted, and the limit is 1 GiB: its scrypt work factor is ${factor}.`,
          { hint: 'Decrypt it with: age -d.' },
        );
      const key = await deriveKey(passphrase, Buffer.from(salt, 'base64'), Number(factor));
      const decipher = createDecipheriv('chacha20-poly1305', key, NONCE, TAG);
      decipher.setAuthTag(stanza.body.subarray(-16));
      try {
        return Buffer.concat([decipher.update(stanza.body.subarray(0, -16)), decipher.final()]);
      } catch {
        return null;
      }
    },
  };
}

async function passOn(
  stream: ReadableStream<Uint8Array>,
  pass: (bytes: Uint8Array) => void,
): Promise<void> {
  for await (const bytes of stream) pass(bytes);
}

/** Why a text is not a public key of age; undefined when it is one. */
export async function recipientProblem(text: string): Promise<string | undefined> {
  const { Encrypter } = await import('age-encryption');
  try {
    new Encrypter().addRecipient(text);
    return undefined;
  } catch {
    return /^age1[0-9a-z]+$/.test(text)
      ? 'It is damaged: a character is missing or wrong.'
      : 'It must begin with "age1"; "age-keygen" prints it as "Public key".';
  }
}

const FIRST_LINE = 'age-encryption.org/v1';
/** Message of the library when no key matches; a test compares it. */
const NO_MATCH = "no identity matched any of the file's recipients";
const ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----';

/** What the decryption of a file needs, by its first bytes. Undefined when the file is not in the age format. */
export function ageKind(head: string): 'passphrase' | 'identity' | 'armored' | undefined {
  const [first, stanza = ''] = head.split('\n');
  if (first?.trim() === ARMOR) return 'armored';
  if (first !== FIRST_LINE || !stanza.startsWith('-> ')) return undefined;
  return stanza.split(' ')[1] === 'scrypt' ? 'passphrase' : 'identity';
}

/** Converts an armored file to the binary form. @throws Error when it is damaged */
export async function withoutArmor(text: string): Promise<Uint8Array> {
  const { armor } = await import('age-encryption');
  return armor.decode(text);
}

/**
 * Private keys of a file as age-keygen writes it: one key per line, with comments.
 * @throws SecretError naming the line that is not a key
 */
export async function parseIdentities(text: string, file: string): Promise<string[]> {
  const { Decrypter } = await import('age-encryption');
  if (ageKind(text) !== undefined)
    throw new SecretError(`The identity file "${file}" is encrypted itself.`, {
      hint: 'Decrypt it first with: age -d.',
    });
  const identities: string[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    try {
      new Decrypter().addIdentity(line);
    } catch {
      // Not the line itself: it may be a damaged key.
      throw new SecretError(
        `Line ${String(index + 1)} of "${file}" is not a private key of age, "AGE-SECRET-KEY-1…".`,
        {
          hint: line.startsWith('age1')
            ? 'It is a public key: name the file with the private one.'
            : 'For SSH keys and plugins, use: age -d.',
        },
      );
    }
    identities.push(line);
  }
  if (identities.length > 0) return identities;
  throw new SecretError(`The identity file "${file}" contains no private key.`);
}

/**
 * The content of an encrypted file, in verified pieces. A truncated file throws at its end. Deriving a key from a passphrase takes
 * about a second, outside the event loop.
 * @throws SecretError when no key matches or the file is damaged
 */
export async function* decryptStream(
  encrypted: ReadableStream<Uint8Array>,
  { identities = [], passphrase }: { identities?: readonly string[]; passphrase?: string },
  what: string,
): AsyncGenerator<Uint8Array> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  if (passphrase !== undefined) decrypter.addIdentity(passphraseIdentity(passphrase, what));
  try {
    for await (const bytes of await decrypter.decrypt(encrypted)) yield bytes;
  } catch (error) {
    if (error instanceof RunnerError) throw error;
    const message = errorMessage(error);
    if (message === NO_MATCH)
      throw new SecretError(
        passphrase === undefined
          ? `${what} is not encrypted for any of the given keys.`
          : `${what} is encrypted with another passphrase.`,
      );
    throw new SecretError(`${what} is damaged or incomplete (${message}).`, {
      hint: 'No output was written. Copy the file again from its source.',
    });
  }
}
