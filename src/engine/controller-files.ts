import { readText } from '../template/read-text.ts';
import type { HttpRequest, HttpResponse } from '../core/action.ts';
import { RunnerError, systemReason, TaskError } from '../core/errors.ts';
import type { HostPath, PathCopy } from '../core/host-path.ts';
import type { Controller, ControllerDirectory, ControllerFile } from '../core/module.ts';
import type { ControllerDisk, FileKind, Random } from '../core/ports.ts';
import { withPartials } from '../template/partials.ts';
import type { Scope } from '../template/scope.ts';
import type { ArchiveEntry } from '../util/archive.ts';
import { sha256 } from '../util/digest.ts';
import { placesOf } from '../util/paths.ts';
import { isVault } from '../util/vault.ts';

const HEAD_BYTES = 64;

interface ControllerOptions {
  files: ControllerDisk;
  scope: Scope;
  /** Directories of the role and the playbook, nearest first. */
  directories: string[];
  request: (request: HttpRequest) => Promise<HttpResponse>;
  random: Random;
  decrypt: (text: string, file: string) => Buffer;
  keptCopy: (copy: PathCopy) => Buffer | undefined;
}

/** Access of a module to the controller. */
export class ControllerFiles implements Controller {
  readonly #options: ControllerOptions;
  /** Set when an encrypted file was read: no diff may be shown. */
  sawSecret = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  randomBytes(count: number): Buffer {
    return this.#options.random.bytes(count);
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    return this.#options.request(request);
  }

  async file(path: string): Promise<Buffer> {
    return this.#read(this.#find(path, 'files'));
  }

  async fileInfo(path: string): Promise<ControllerFile> {
    const { files } = this.#options;
    const found = this.#find(path, 'files');
    const info = await reading(found, () => files.digest(found));
    const head = await reading(found, () => files.beginning(found, HEAD_BYTES));
    if (!isVault(head.toString('latin1'))) return info;
    const plain = await this.#read(found);
    return { ...info, size: plain.length, checksum: sha256(plain), encrypted: true };
  }

  async directory(path: string): Promise<ControllerDirectory | undefined> {
    const { files } = this.#options;
    const found = this.#find(path, 'files', { directories: true });
    if (this.#kindOf(found) === 'file') return undefined;
    return { path: found, entries: await reading(found, () => files.tree(found)) };
  }

  async archive(path: string): Promise<ArchiveEntry[]> {
    const found = this.#find(path, 'files');
    return reading(found, () => this.#options.files.archive(found));
  }

  /** Content of a file, decrypted if it is encrypted. */
  async #read(file: string): Promise<Buffer> {
    const bytes = await reading(file, () => this.#options.files.read(file));
    if (!isVault(bytes.subarray(0, HEAD_BYTES).toString('latin1'))) return bytes;
    this.sawSecret = true;
    return this.#options.decrypt(bytes.toString('latin1'), file);
  }

  async render(path: string): Promise<string> {
    const own = (await this.#read(this.#find(path, 'templates'))).toString('utf8');
    try {
      const parts = withPartials(own);
      let next = parts.next();
      while (!next.done) {
        const part = await this.#read(this.#find(next.value, 'templates'));
        next = parts.next(part.toString('utf8'));
      }
      const text = next.value;
      const rendered = this.#options.scope.render(readText(text));
      return typeof rendered === 'string' ? rendered : JSON.stringify(rendered);
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error;
      throw new TaskError(`Template "${path}": ${error.message}`, {
        hint: error.hint,
        cause: error,
      });
    }
  }

  keptCopy(path: HostPath): Buffer | undefined {
    return typeof path === 'string' ? undefined : this.#options.keptCopy(path);
  }

  async checksum(path: string): Promise<string | undefined> {
    const info = await this.#options.files.digest(path).catch(() => undefined);
    return info?.checksum;
  }

  #find(path: string, kind: 'files' | 'templates', { directories = false } = {}): string {
    const candidates = placesOf(path, this.#options.directories, kind);
    for (const candidate of candidates) {
      const is = this.#kindOf(candidate);
      if (is === 'file' || (directories && is === 'directory')) return candidate;
      if (is) throw new TaskError(`"${candidate}" is not a file.`);
    }
    throw new TaskError(`There is no file "${path}" on the controller.`, {
      hint: `Looked for ${candidates.join(', ')}.`,
    });
  }

  #kindOf(path: string): FileKind['is'] | undefined {
    try {
      return this.#options.files.find(path)?.is;
    } catch (error) {
      throw unreadable(path, error);
    }
  }
}

/** @throws TaskError that names the file when the system cannot read it */
async function reading<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): RunnerError {
  if (error instanceof RunnerError) return error;
  return new TaskError(`"${path}" cannot be read: ${systemReason(error)}.`, { cause: error });
}
