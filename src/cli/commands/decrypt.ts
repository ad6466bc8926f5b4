import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { systemReason, UsageError } from '../../core/errors.ts';
import { exitCodes } from '../../core/states.ts';
import { ageKind, decryptStream, parseIdentities, withoutArmor } from '../../util/age.ts';
import { expandHome } from '../../util/paths.ts';
import { newCommand } from '../command.ts';
import { firstLine } from '../flags/passwords.ts';
import { askSecret, canAsk } from '../operator.ts';
import type { World } from '../world.ts';

interface Flags {
  output?: string;
  identity?: string[];
  passphraseFile?: string;
}

const PASSPHRASE = 'RUNNER_BACKUP_PASSPHRASE';
const HEAD_BYTES = 100;
const CHUNK_BYTES = 256 * 1024;
/** An armored file is decoded in memory. */
const MAX_ARMORED_BYTES = 64 * 1024 * 1024;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `runner decrypt FILE`: decrypts files that `fetch` has encrypted, and other age files. */
export async function decryptCommand(world: World, argv: string[]): Promise<number> {
  const command = newCommand(world, 'runner decrypt')
    .argument('<file>', 'file encrypted by "fetch" or age')
    .description('Decrypt a backup or another age file.')
    .option(
      '--output <FILE>',
      'output file, which must not exist; "-" for standard output (default: the name without ".age")',
    )
    .option(
      '-i, --identity <FILE>',
      'file with the private key, in the format of age-keygen; may be repeated',
      (value: string, known: string[] | undefined) => [...(known ?? []), value],
    )
    .option(
      '--passphrase-file <FILE>',
      `file whose first line is the passphrase (or environment variable ${PASSPHRASE}, or a prompt)`,
    );
  command.parse(argv, { from: 'user' });
  const flags = command.opts<Flags>();
  const [file = ''] = command.args;
  const output = outputOf(file, flags);
  const source = await openSource(file);
  try {
    const keys = await keysFor(world, source.kind, file, flags);
    const plain = decryptStream(source.bytes, keys, `"${file}"`);
    if (output === '-') return await print(world, plain);
    return await save(world, plain, output);
  } finally {
    await source.close();
  }
}

/** @throws UsageError if the name of the output file is missing or the file exists */
function outputOf(file: string, { output }: Flags): string {
  if (output === '-') return output;
  if (output === undefined && !/[^/]\.age$/.test(file))
    throw new UsageError(`The name "${file}" does not end in ".age".`, {
      hint: 'Name the output file with --output FILE.',
    });
  const path = resolve(expandHome(output ?? file.slice(0, -'.age'.length)));
  if (existsSync(path)) throw exists(path);
  return path;
}

function exists(path: string): UsageError {
  return new UsageError(`"${path}" already exists.`, {
    hint: 'Move the file away, or name another one with --output FILE.',
  });
}

interface Source {
  kind: 'passphrase' | 'identity';
  bytes: ReadableStream<Uint8Array>;
  close: () => Promise<void>;
}

async function openSource(file: string): Promise<Source> {
  const cannotRead = (error: unknown) =>
    new UsageError(`Cannot read "${file}": ${systemReason(error)}.`, {
      cause: error,
    });
  const handle = await open(expandHome(file)).catch((error: unknown) => {
    throw cannotRead(error);
  });
  try {
    const head = await headOf(handle);
    const kind = ageKind(head);
    if (kind === undefined) throw notAge(file);
    if (kind !== 'armored')
      return { kind, bytes: bytesOf(handle, cannotRead), close: () => handle.close() };
    const binary = await decoded(handle, file);
    const inner = ageKind(Buffer.from(binary.subarray(0, HEAD_BYTES)).toString('latin1'));
    if (inner === undefined || inner === 'armored') throw notAge(file);
    return { kind: inner, bytes: new Blob([binary]).stream(), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error instanceof UsageError ? error : cannotRead(error);
  }
}

function notAge(file: string): UsageError {
  return new UsageError(`"${file}" is not an age file.`);
}

async function headOf(handle: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return buffer.subarray(0, bytesRead).toString('latin1');
}

async function decoded(handle: FileHandle, file: string): Promise<Uint8Array<ArrayBuffer>> {
  if ((await handle.stat()).size > MAX_ARMORED_BYTES)
    throw new UsageError(`"${file}" is too large: the limit for armored files is 64 MiB.`, {
      hint: 'Use "age -d" instead.',
    });
  const text = await handle.readFile('utf8');
  return withoutArmor(text).then(
    (bytes) => new Uint8Array(bytes),
    (error: unknown) => {
      throw new UsageError(`"${file}" is damaged or incomplete: ${(error as Error).message}.`);
    },
  );
}

function bytesOf(
  handle: FileHandle,
  cannotRead: (error: unknown) => UsageError,
): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { buffer, bytesRead } = await handle.read(
          Buffer.alloc(CHUNK_BYTES),
          0,
          CHUNK_BYTES,
          at,
        );
        at += bytesRead;
        if (bytesRead === 0) controller.close();
        else controller.enqueue(buffer.subarray(0, bytesRead));
      } catch (error) {
        controller.error(cannotRead(error));
      }
    },
  });
}

async function keysFor(
  world: World,
  kind: Source['kind'],
  file: string,
  { identity = [], passphraseFile }: Flags,
): Promise<{ identities?: string[]; passphrase?: string }> {
  if (kind === 'identity') {
    if (identity.length === 0)
      throw new UsageError(`"${file}" is encrypted for public keys.`, {
        hint: 'Name the file of the private key with --identity FILE.',
      });
    const lists = await Promise.all(identity.map((one) => readIdentities(one)));
    return { identities: lists.flat() };
  }
  const passphrase =
    passphraseFile === undefined
      ? world.env[PASSPHRASE] ||
        (canAsk(world) ? await askSecret(world, `Passphrase for ${file}`) : '')
      : firstLine(passphraseFile, '--passphrase-file');
  if (!passphrase)
    throw new UsageError(`"${file}" is encrypted with a passphrase, and none was given.`, {
      hint: `Set ${PASSPHRASE}, use --passphrase-file FILE, or run the command in a terminal.`,
    });
  world.redactor.hide('--passphrase-file', passphrase);
  return { passphrase };
}

async function readIdentities(file: string): Promise<string[]> {
  let text: string;
  try {
    text = readFileSync(expandHome(file), 'utf8');
  } catch (error) {
    throw new UsageError(`--identity: cannot read "${file}": ${systemReason(error)}.`, {
      cause: error,
    });
  }
  return parseIdentities(text, file);
}

async function print({ stdout }: World, plain: AsyncIterable<Uint8Array>): Promise<number> {
  for await (const bytes of plain) {
    stdout.write(bytes);
    const lost = await stdout.flushed();
    if (lost) throw new UsageError(`Cannot write ${lost.output}: ${lost.reason}.`);
  }
  return exitCodes.done;
}

/** Writes a file with mode 0600. After an error or a signal, no partial file remains. */
async function save(world: World, plain: AsyncIterable<Uint8Array>, path: string): Promise<number> {
  const fresh = `${path}.${String(process.pid)}.new`;
  const stopped = new AbortController();
  const stop = () => {
    stopped.abort();
  };
  const file = attempt(path, () => openSync(fresh, 'wx', 0o600));
  for (const signal of signals) world.signals.on(signal, stop);
  try {
    for await (const bytes of plain) {
      if (stopped.signal.aborted) {
        world.stderr.write(`runner: Interrupted. "${path}" was not written.\n`);
        return exitCodes.interrupted;
      }
      attempt(path, () => {
        for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      });
    }
    attempt(path, () => {
      fsyncSync(file);
    });
    publish(fresh, path);
    world.stdout.write(`Decrypted to ${path}\n`);
    return exitCodes.done;
  } finally {
    for (const signal of signals) world.signals.off(signal, stop);
    closeSync(file);
    rmSync(fresh, { force: true });
  }
}

/** Gives the file its final name, unless a file with that name exists by now. */
function publish(fresh: string, path: string): void {
  try {
    linkSync(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(path);
    // The file system has no hard links.
    attempt(path, () => {
      renameSync(fresh, path);
    });
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw cannotWrite(`"${path}"`, error);
  }
}

function cannotWrite(what: string, error: unknown): UsageError {
  return new UsageError(`Cannot write ${what}: ${systemReason(error)}.`, {
    cause: error,
  });
}
