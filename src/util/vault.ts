import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  pbkdf2Sync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { SecretError } from '../core/errors.ts';
import { isJsonObject, type JsonValue } from '../core/json.ts';
import { formatSource, type SourceRef } from '../core/source.ts';

/*
 * The format of ansible-vault, as its documentation describes it: a line `$ANSIBLE_VAULT;1.1;AES256` (1.2 with the name of
 * a password appended), then in hex: salt, HMAC and text, each in hex again, one per line. PBKDF2 with SHA-256 derives 80 bytes
 * from password and salt: the key of AES-256 in counter mode, the key of the HMAC, and the initial counter.
 */
const HEADER = /^\$ANSIBLE_VAULT;(1\.[12]);(AES256)(?:;([^\s;]+))?\s*$/;
const ITERATIONS = 10_000;
const KEY_BYTES = 32;
const COUNTER_BYTES = 16;
const SALT_BYTES = 32;
const BLOCK_BYTES = 16;
const LINE = 80;
/** The name of a password without a vault id. */
const DEFAULT_ID = 'default';

export interface VaultKey {
  /** Label that distinguishes several passwords. */
  id: string;
  password: string;
}

export function isVault(text: string): boolean {
  return text.startsWith('$ANSIBLE_VAULT;');
}

export function encryptVault(plain: Buffer, { id, password }: VaultKey): string {
  const salt = randomBytes(SALT_BYTES);
  const { key, hmacKey, counter } = derive(password, salt);
  const padding = BLOCK_BYTES - (plain.length % BLOCK_BYTES);
  const padded = Buffer.concat([plain, Buffer.alloc(padding, padding)]);
  const cipher = createCipheriv('aes-256-ctr', key, counter);
  const body = Buffer.concat([cipher.update(padded), cipher.final()]);
  const hmac = createHmac('sha256', hmacKey).update(body).digest('hex');
  const inner = [salt.toString('hex'), hmac, body.toString('hex')].join('\n');
  const lines =
    Buffer.from(inner)
      .toString('hex')
      .match(/.{1,80}/g) ?? [];
  const header =
    id === DEFAULT_ID ? '$ANSIBLE_VAULT;1.1;AES256' : `$ANSIBLE_VAULT;1.2;AES256;${id}`;
  return `${[header, ...lines].join('\n')}\n`;
}

/** The name of the password that an encrypted text refers to; undefined when it has none. */
export function vaultId(text: string): string | undefined {
  return HEADER.exec(text.trimStart().split('\n')[0] ?? '')?.[3];
}

/**
 * @param keys the key with the name in the text is tried first
 * @throws SecretError when the text is damaged or no password matches
 */
export function decryptVault(text: string, keys: readonly VaultKey[], what: string): Buffer {
  const [first = '', ...lines] = text.trim().split(/\s*\n\s*/);
  const match = HEADER.exec(first);
  if (!match)
    throw new SecretError(
      `${what} begins with "${first.slice(0, LINE)}", which is not a supported vault format.`,
    );
  const inner = fromHex(lines.join('')).toString('latin1').split('\n');
  const [salt, hmac, body] = inner.map(fromHex);
  if (inner.length !== 3 || !salt || !hmac || !body || hmac.length !== KEY_BYTES)
    throw new SecretError(`${what} is damaged: it does not have the format of ansible-vault.`);
  const id = match[3] ?? DEFAULT_ID;
  const ordered = [...keys].sort((a, b) => Number(b.id === id) - Number(a.id === id));
  for (const { password } of ordered) {
    const derived = derive(password, salt);
    const sum = createHmac('sha256', derived.hmacKey).update(body).digest();
    if (!timingSafeEqual(sum, hmac)) continue;
    const decipher = createDecipheriv('aes-256-ctr', derived.key, derived.counter);
    const padded = Buffer.concat([decipher.update(body), decipher.final()]);
    return padded.subarray(0, padded.length - (padded.at(-1) ?? 0));
  }
  const named = match[3] === undefined ? '' : ` (vault id "${match[3]}")`;
  throw new SecretError(
    keys.length === 0
      ? `${what} is encrypted, and there is no password for it${named}.`
      : `${what} is encrypted with another password${keys.length > 1 ? ' than those given' : ''}${named}.`,
    {
      hint: 'Give the password with --vault-password-file FILE, --vault-id NAME@FILE or --ask-vault-pass.',
    },
  );
}

function derive(password: string, salt: Buffer): { key: Buffer; hmacKey: Buffer; counter: Buffer } {
  const bytes = pbkdf2Sync(password, salt, ITERATIONS, 2 * KEY_BYTES + COUNTER_BYTES, 'sha256');
  return {
    key: bytes.subarray(0, KEY_BYTES),
    hmacKey: bytes.subarray(KEY_BYTES, 2 * KEY_BYTES),
    counter: bytes.subarray(2 * KEY_BYTES),
  };
}

function fromHex(text: string): Buffer {
  return /^([0-9a-f]{2})*$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.alloc(0);
}

/** Encrypted text that was read, with the names of its values in the run. */
export interface VaultSource {
  /** The text as in the file. */
  text: string;
  /** One value, or each text of a whole file by its path from the root. */
  secrets: { name: string; path?: (string | number)[] }[];
}

export interface VaultOptions {
  keys: readonly VaultKey[];
  /** Called with each secret before the value is used. */
  onSecret: (name: string, value: string) => void;
  /** Without a password, encrypted values stay encrypted, because they will not be used. */
  lenient?: boolean;
}

/** Decrypts values in playbooks and inventories, and remembers them. */
export class Vault {
  readonly #options: VaultOptions;
  readonly #sources = new Map<string, VaultSource>();
  #onSource: ((source: VaultSource) => void) | undefined;

  constructor(options: VaultOptions) {
    this.#options = options;
  }

  get keys(): readonly VaultKey[] {
    return this.#options.keys;
  }

  /** Everything that was read so far. Later sources are passed to `onSource`. */
  handOver(onSource: (source: VaultSource) => void): VaultSource[] {
    this.#onSource = onSource;
    return [...this.#sources.values()];
  }

  /** An inline value. @throws SecretError */
  value(text: string, at: SourceRef): string {
    if (this.#skips()) return '(encrypted)';
    const name = `vault:${formatSource(at)}`;
    const value = decryptVault(text, this.keys, 'The value').toString('utf8');
    this.#options.onSecret(name, value);
    this.#remember(name, { text, secrets: [{ name }] });
    return value;
  }

  /** A whole file; undefined when it stays encrypted. @throws SecretError */
  file(text: string, file: string): string | undefined {
    if (this.#skips()) return undefined;
    return decryptVault(text, this.keys, `"${file}"`).toString('utf8');
  }

  /** Sets the names of the values of a whole file. */
  remember(text: string, file: string, value: JsonValue): void {
    const secrets = textsOf(value).map(({ path, value: secret }) => {
      const name = `vault:${file}#${path.join('.')}`;
      this.#options.onSecret(name, secret);
      return { name, path };
    });
    this.#remember(`vault:${file}`, { text, secrets });
  }

  /** A file that is sent to a host unchanged. Its whole text is one secret. @throws SecretError */
  content(text: string, file: string): Buffer {
    const plain = decryptVault(text, this.keys, `"${file}"`);
    const name = `vault:${file}`;
    this.#options.onSecret(name, plain.toString('utf8'));
    this.#remember(name, { text, secrets: [{ name }] });
    return plain;
  }

  #skips(): boolean {
    return this.#options.lenient === true && this.keys.length === 0;
  }

  #remember(name: string, source: VaultSource): void {
    if (this.#sources.has(name)) return;
    this.#sources.set(name, source);
    this.#onSource?.(source);
  }
}

/**
 * The secrets of an earlier run, by their names in that run.
 * @throws SecretError when the password differs from that of the run
 */
export function openSource(
  { text, secrets }: VaultSource,
  keys: readonly VaultKey[],
  parse: (plain: string) => JsonValue,
): { name: string; value: string }[] {
  const plain = decryptVault(text, keys, 'The secret record of the run').toString('utf8');
  const whole = secrets.some(({ path }) => path !== undefined) ? parse(plain) : plain;
  return secrets.flatMap(({ name, path = [] }) => {
    const value = path.reduce<JsonValue | undefined>(
      (inner, key) =>
        Array.isArray(inner)
          ? inner[Number(key)]
          : isJsonObject(inner ?? null)
            ? (inner as Record<string, JsonValue>)[String(key)]
            : undefined,
      whole,
    );
    return typeof value === 'string' ? [{ name, value }] : [];
  });
}

function textsOf(
  value: JsonValue,
  path: (string | number)[] = [],
): { path: (string | number)[]; value: string }[] {
  if (typeof value === 'string') return [{ path, value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsOf(item, [...path, index]));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => textsOf(item, [...path, key]));
}
