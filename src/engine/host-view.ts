import { open, readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { HttpRequest, HttpResponse } from '../core/action.ts';
import { RunnerError, TaskError } from '../core/errors.ts';
import type { CommandOutput, Fact, ReadCommand } from '../core/fact.ts';
import type { HostSession } from '../core/host.ts';
import type { ControllerFile, ControllerFolder, HostView } from '../core/module.ts';
import { withPartials } from '../template/partials.ts';
import type { Scope } from '../template/scope.ts';
import { readArchive, type ArchiveEntry } from '../util/archive.ts';
import { digestFile, sha256 } from '../util/digest.ts';
import { readFolder } from '../util/folder.ts';
import { placesOf } from '../util/paths.ts';
import { isVault } from '../util/vault.ts';

const HEAD_BYTES = 64;

async function beginning(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(HEAD_BYTES) });
    return buffer.subarray(0, bytesRead).toString('latin1');
  } finally {
    await file.close();
  }
}

interface Question {
  command: ReadCommand;
  resolve: (output: CommandOutput) => void;
  reject: (error: unknown) => void;
}

interface HostViewOptions {
  name: string;
  /** Opened when the first question is asked. */
  session: () => Promise<HostSession>;
  scope: Scope;
  /** Folders of the role and the playbook, nearest first. */
  folders: string[];
  request: (request: HttpRequest) => Promise<HttpResponse>;
  decrypt: (text: string, file: string) => Buffer;
  signal: AbortSignal;
  factTimeoutMs: number;
  wantsDiff: boolean;
  keptCopy: (name: string) => Buffer | undefined;
}

/** The eyes of a module: reads facts, once each, and all that are asked for together in one round trip. */
export class SessionHostView implements HostView {
  readonly name: string;
  readonly wantsDiff: boolean;
  readonly #options: HostViewOptions;
  readonly #facts = new Map<string, Promise<unknown>>();
  #questions: Question[] = [];
  /** A file was encrypted: what becomes of it must not be shown. */
  sawSecret = false;

  constructor(options: HostViewOptions) {
    this.name = options.name;
    this.wantsDiff = options.wantsDiff;
    this.#options = options;
  }

  fact<P extends string[], T>(fact: Fact<P, T>, ...params: P): Promise<T> {
    const key = JSON.stringify([fact.name, ...params]);
    const known = this.#facts.get(key) as Promise<T> | undefined;
    if (known) return known;
    const answer = this.#ask(fact.command(...params)).then((output) =>
      fact.parse(output, ...params),
    );
    this.#facts.set(key, answer);
    return answer;
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    return this.#options.request(request);
  }

  async controllerFile(path: string): Promise<Buffer> {
    return this.#read(await this.#find(path, 'files'));
  }

  async controllerFileInfo(path: string): Promise<ControllerFile> {
    const found = await this.#find(path, 'files');
    const info = await digestFile(found);
    if (!isVault(await beginning(found))) return info;
    const plain = await this.#read(found);
    return { ...info, size: plain.length, checksum: sha256(plain), encrypted: true };
  }

  async controllerFolder(path: string): Promise<ControllerFolder | undefined> {
    const found = await this.#find(path, 'files', { folders: true });
    if ((await stat(found)).isFile()) return undefined;
    return { path: found, entries: await readFolder(found) };
  }

  async controllerArchive(path: string): Promise<ArchiveEntry[]> {
    return readArchive(await this.#find(path, 'files'));
  }

  /** Content of a file of the controller, decrypted where it is encrypted. */
  async #read(file: string): Promise<Buffer> {
    const bytes = await readFile(file);
    if (!isVault(bytes.subarray(0, HEAD_BYTES).toString('latin1'))) return bytes;
    this.sawSecret = true;
    return this.#options.decrypt(bytes.toString('latin1'), file);
  }

  async renderTemplate(path: string): Promise<string> {
    const own = (await this.#read(await this.#find(path, 'templates'))).toString('utf8');
    try {
      const parts = withPartials(own);
      let next = parts.next();
      while (!next.done) {
        const part = await this.#read(await this.#find(next.value, 'templates'));
        next = parts.next(part.toString('utf8'));
      }
      const text = next.value;
      const rendered = this.#options.scope.render(text);
      return typeof rendered === 'string' ? rendered : JSON.stringify(rendered);
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error;
      throw new TaskError(`Template "${path}": ${error.message}`, {
        hint: error.hint,
        cause: error,
      });
    }
  }

  keptCopy(path: string): Buffer | undefined {
    return this.#options.keptCopy(basename(path));
  }

  async localChecksum(path: string): Promise<string | undefined> {
    const info = await digestFile(path).catch(() => undefined);
    return info?.checksum;
  }

  async #find(
    path: string,
    kind: 'files' | 'templates',
    { folders = false } = {},
  ): Promise<string> {
    const candidates = placesOf(path, this.#options.folders, kind);
    for (const candidate of candidates) {
      const found = await stat(candidate).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw new TaskError(`"${candidate}" cannot be read: ${(error as Error).message}.`);
      });
      if (found?.isFile() || (folders && found?.isDirectory())) return candidate;
      if (found) throw new TaskError(`"${candidate}" is not a file.`);
    }
    throw new TaskError(`There is no file "${path}" on the controller.`, {
      hint: `Looked for ${candidates.join(', ')}.`,
    });
  }

  #ask(command: ReadCommand): Promise<CommandOutput> {
    return new Promise((resolve, reject) => {
      this.#questions.push({ command, resolve, reject });
      if (this.#questions.length === 1) queueMicrotask(() => void this.#send());
    });
  }

  async #send(): Promise<void> {
    const questions = this.#questions;
    this.#questions = [];
    try {
      const session = await this.#options.session();
      const { reads: outputs } = await session.exchange(
        { reads: questions.map(({ command }) => command) },
        { timeoutMs: this.#options.factTimeoutMs, signal: this.#options.signal },
      );
      questions.forEach(({ resolve, reject }, index) => {
        const output = outputs[index];
        // What is cut off would be taken for what is not there.
        if (output?.bytes)
          reject(
            new TaskError(
              `An answer of "${this.name}" is too long: ${String(output.bytes.stdout)} bytes.`,
              { hint: 'Ask for less at a time, such as one directory of several.' },
            ),
          );
        else if (output) resolve(output);
        else reject(new TaskError('The host gave no answer to a question.'));
      });
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  }
}
