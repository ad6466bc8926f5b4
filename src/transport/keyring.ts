import { readFile } from 'node:fs/promises';
import type { BaseAgent, ParsedKey } from 'ssh2';
import { fingerprint } from './known-hosts.ts';
import type { SshTarget } from './target.ts';

/** Prompts for the passphrase of a key file. Returns undefined without a terminal, or if the operator declines. */
export type AskPassphrase = (file: string, retry: boolean) => Promise<string | undefined>;

/** A key that can be offered to the server. */
export interface Credential {
  /** Source of the key, for messages. */
  label: string;
  key: ParsedKey;
  /** The agent that signs with the key; absent if `key` is the private key. */
  agent?: BaseAgent;
}

export interface Credentials {
  usable: Credential[];
  /** Keys that were not offered, with the reason. */
  unusable: string[];
}

type KeyFile =
  | { state: 'absent' }
  | { state: 'ready'; key: ParsedKey }
  | { state: 'locked'; publicKey: ParsedKey | undefined }
  | { state: 'unusable'; why: string };

const PASSPHRASE_TRIES = 3;

/** Private keys from files and agents. Each file is read once for all hosts, and its passphrase is prompted for once. */
export class Keyring {
  readonly #ask: AskPassphrase;
  readonly #files = new Map<string, Promise<KeyFile>>();
  readonly #agents = new Map<string, Promise<Credential[]>>();
  readonly #unlocked = new Map<string, Promise<ParsedKey | undefined>>();

  constructor(ask: AskPassphrase) {
    this.#ask = ask;
  }

  /**
   * Keys for a host in the order of ssh(1): agent keys that match its files, other agent keys, then files.
   */
  async credentials(target: SshTarget): Promise<Credentials> {
    const files = await Promise.all(
      target.keyFiles.map(async (file) => ({ file, content: await this.#read(file) })),
    );
    const held = await this.#agentKeys(target.agent);
    const unusable: string[] = [];
    const usable: Credential[] = [];
    const wanted = files.flatMap(({ content }) =>
      content.state === 'ready'
        ? [content.key]
        : content.state === 'locked'
          ? [content.publicKey]
          : [],
    );
    const isWanted = ({ key }: Credential) => wanted.some((one) => one && samePublicKey(one, key));
    usable.push(...held.filter(isWanted));
    if (!target.identitiesOnly) usable.push(...held.filter((one) => !isWanted(one)));
    const locked: string[] = [];
    for (const { file, content } of files) {
      if (content.state === 'unusable') unusable.push(`${file} (${content.why})`);
      if (content.state === 'absent' && target.keysGiven) unusable.push(`${file} (cannot be read)`);
      if (content.state === 'ready' && !held.some(({ key }) => samePublicKey(key, content.key))) {
        if (content.key.isPrivateKey()) usable.push({ label: file, key: content.key });
        else unusable.push(`${file} (a public key, and the agent does not hold its private key)`);
      }
      if (content.state === 'locked') {
        const { publicKey } = content;
        const inAgent = publicKey && held.some(({ key }) => samePublicKey(key, publicKey));
        if (!inAgent) locked.push(file);
      }
    }
    for (const file of locked) {
      // Prompt only if the inventory names the key, or no other key is usable.
      const key = target.keysGiven || usable.length === 0 ? await this.#unlock(file) : undefined;
      if (key) usable.push({ label: file, key });
      else unusable.push(`${file} (encrypted)`);
    }
    return { usable, unusable };
  }

  #read(file: string): Promise<KeyFile> {
    const known = this.#files.get(file);
    if (known) return known;
    const reading = readKeyFile(file);
    this.#files.set(file, reading);
    return reading;
  }

  #unlock(file: string): Promise<ParsedKey | undefined> {
    const known = this.#unlocked.get(file);
    if (known) return known;
    const asking = (async () => {
      const { utils } = await loadSsh2();
      const bytes = await readFile(file);
      for (let attempt = 0; attempt < PASSPHRASE_TRIES; attempt++) {
        const passphrase = await this.#ask(file, attempt > 0);
        if (passphrase === undefined) return undefined;
        const key = firstKey(utils.parseKey(bytes, passphrase));
        if (!(key instanceof Error)) return key;
      }
      return undefined;
    })();
    this.#unlocked.set(file, asking);
    return asking;
  }

  #agentKeys(socket: string | undefined): Promise<Credential[]> {
    if (socket === undefined) return Promise.resolve([]);
    const known = this.#agents.get(socket);
    if (known) return known;
    const listing = listAgent(socket);
    this.#agents.set(socket, listing);
    return listing;
  }
}

async function listAgent(socket: string): Promise<Credential[]> {
  const { createAgent } = await loadSsh2();
  const agent = createAgent(socket);
  const keys = await new Promise<ParsedKey[]>((resolve) => {
    agent.getIdentities((error, found) => {
      // Ignore an agent that does not respond, and use the files.
      resolve(error ? [] : ((found ?? []) as ParsedKey[]));
    });
  });
  return keys.map((key) => ({
    label: `agent key ${fingerprint(key.getPublicSSH())}${key.comment ? ` (${key.comment})` : ''}`,
    key,
    agent,
  }));
}

async function readKeyFile(file: string): Promise<KeyFile> {
  const bytes = await readFile(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return error as NodeJS.ErrnoException;
  });
  if (bytes === undefined) return { state: 'absent' };
  if (!Buffer.isBuffer(bytes)) return { state: 'unusable', why: bytes.message };
  const { utils } = await loadSsh2();
  const key = firstKey(utils.parseKey(bytes));
  if (!(key instanceof Error)) return { state: 'ready', key };
  if (/passphrase/.test(key.message)) {
    const published = await readFile(`${file}.pub`).catch(() => undefined);
    const publicKey = published && firstKey(utils.parseKey(published));
    return { state: 'locked', publicKey: publicKey instanceof Error ? undefined : publicKey };
  }
  const published = await readFile(`${file}.pub`, 'utf8').catch(() => '');
  if (published.startsWith('sk-') || bytes.includes('sk-ssh-'))
    return { state: 'unusable', why: 'a FIDO key, which needs --transport openssh' };
  return { state: 'unusable', why: key.message };
}

/** Loads ssh2 on first use, so that commands without connections start faster. */
export async function loadSsh2(): Promise<typeof import('ssh2')> {
  // Its types declare named exports, but in Node.js the module is the default export.
  const imported: unknown = await import('ssh2');
  return (imported as { default: typeof import('ssh2') }).default;
}

function firstKey(parsed: ParsedKey | ParsedKey[] | Error): ParsedKey | Error {
  if (Array.isArray(parsed)) return parsed[0] ?? new Error('no key in the file');
  return parsed;
}

function samePublicKey(a: ParsedKey, b: ParsedKey): boolean {
  return a.getPublicSSH().equals(b.getPublicSSH());
}
