import { createCipheriv, randomBytes, scrypt } from 'node:crypto';
import type { FileEncryption } from '../core/action.ts';
import { errorMessage, RunnerError, SecretError } from '../core/errors.ts';

/*
 * Files in the format age (https://age-encryption.org/v1). The library is loaded on first use. Its streams
 * work without timers: all that is written in one turn of the event loop is encrypted in that turn, so nothing piles up in memory.
 */

/** Base-2 logarithm of the cost of scrypt: that of the program age. */
const WORK_FACTOR = 18;

/** Bytes on their way into an encrypted file. */
export interface EncryptedStream {
  write(bytes: Uint8Array): void;
  /** Resolves when everything was passed on, with the end of the file. @throws what `pass` threw */
  end(): Promise<void>;
}

/**
 * Begins an encrypted file. Deriving a key from a passphrase takes about a second, outside the event loop.
 * @param pass is given the encrypted bytes in their order
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
    // Reported by `end`. The stream takes no more then.
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

/** Each takes 256 MiB, so there is one at a time. */
let derivation: Promise<unknown> = Promise.resolve();

/**
 * The "scrypt" stanza of the format. The library has it, too, but would stop the event loop, and with it every
 * connection, for a second or more.
 */
async function wrapWithPassphrase(
  fileKey: Uint8Array,
  passphrase: string,
): Promise<{ salt: string; body: Uint8Array }> {
  const salt = randomBytes(16);
  const labelled = Buffer.concat([Buffer.from('age-encryption.org/v1/scrypt'), salt]);
  const derive = () =>
    new Promise<Buffer>((resolve, reject) => {
      const cost = { N: 2 ** WORK_FACTOR, r: 8, p: 1, maxmem: 512 * 1024 * 1024 };
      scrypt(passphrase, labelled, 32, cost, (error, key) => {
        if (error) reject(error);
        else resolve(key);
      });
    });
  const derived = derivation.then(derive);
  derivation = derived.catch(() => undefined);
  // The key is used once, so the nonce may be zero, as the format demands.
  const options = { authTagLength: 16 };
  const cipher = createCipheriv('chacha20-poly1305', await derived, Buffer.alloc(12), options);
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  return { salt: salt.toString('base64').replace(/=+$/, ''), body: new Uint8Array(body) };
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
/** The library's message where no key fits; a test compares it. */
const NO_MATCH = "no identity matched any of the file's recipients";
const ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----';

/** What a file needs to be decrypted, by its first bytes. Undefined when it is not in the format age. */
export function ageKind(head: string): 'passphrase' | 'identity' | 'armored' | undefined {
  const [first, stanza = ''] = head.split('\n');
  if (first?.trim() === ARMOR) return 'armored';
  if (first !== FIRST_LINE || !stanza.startsWith('-> ')) return undefined;
  return stanza.split(' ')[1] === 'scrypt' ? 'passphrase' : 'identity';
}

/** The binary form of a file that is text. @throws Error when it is damaged */
export async function withoutArmor(text: string): Promise<Uint8Array> {
  const { armor } = await import('age-encryption');
  return armor.decode(text);
}

/**
 * Private keys of a file as age-keygen writes it: a key a line, with comments.
 * @throws SecretError naming the line that is none
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
  throw new SecretError(`The identity file "${file}" holds no private key.`);
}

/**
 * The content of an encrypted file, in pieces that are verified. A file that ends too early throws at its end.
 * @throws SecretError when no key fits or the file is damaged
 */
export async function* decryptStream(
  encrypted: ReadableStream<Uint8Array>,
  { identities = [], passphrase }: { identities?: readonly string[]; passphrase?: string },
  what: string,
): AsyncGenerator<Uint8Array> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  if (passphrase !== undefined) decrypter.addPassphrase(passphrase);
  try {
    for await (const bytes of await decrypter.decrypt(encrypted)) yield bytes;
  } catch (error) {
    if (error instanceof RunnerError) throw error;
    const message = errorMessage(error);
    if (message === NO_MATCH)
      throw new SecretError(
        passphrase === undefined
          ? `${what} is encrypted for other keys than those given.`
          : `${what} is encrypted with another passphrase.`,
      );
    throw new SecretError(`${what} is damaged or incomplete (${message}).`, {
      hint: 'Nothing of it was kept. Copy it again from where it was made.',
    });
  }
}
