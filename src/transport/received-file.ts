import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FetchAction } from '../core/action.ts';
import { systemReason, TaskError } from '../core/errors.ts';
import type { OutputSink } from '../core/host.ts';
import { encryptStream, type EncryptedStream } from '../util/age.ts';

/**
 * A file of the controller, mode 0600, that arrives in pieces. It is written beside its place and renamed when it is
 * complete. Errors are kept until then: nobody would catch them where data arrives.
 */
export class ReceivedFile implements OutputSink {
  readonly #to: string;
  readonly #temporary: string;
  readonly #hash = createHash('sha256');
  #encrypted: EncryptedStream | undefined;
  #file: number | undefined;
  #failure: unknown;
  #checksum: string | undefined;

  private constructor(to: string) {
    this.#to = to;
    this.#temporary = `${to}.runner-tmp`;
  }

  static async create({ to, encrypt }: Pick<FetchAction, 'to' | 'encrypt'>): Promise<ReceivedFile> {
    const file = new ReceivedFile(to);
    if (!encrypt) return file;
    try {
      file.#encrypted = await encryptStream(encrypt, (bytes) => {
        file.#store(bytes);
      });
    } catch (error) {
      throw file.#unwritable(error);
    }
    return file;
  }

  /** SHA-256 in hex of what arrived, before it was encrypted. */
  get checksum(): string {
    return (this.#checksum ??= this.#hash.digest('hex'));
  }

  write(bytes: Buffer): void {
    this.#hash.update(bytes);
    if (this.#encrypted) this.#encrypted.write(bytes);
    else this.#store(bytes);
  }

  end(): void {
    // An empty file is one, too.
    this.#attempt(() => undefined);
  }

  /** To be called when all bytes have arrived. @throws TaskError when they could not be written */
  async complete(): Promise<void> {
    try {
      await this.#encrypted?.end();
    } catch (error) {
      this.#failure ??= error;
    }
    this.#attempt(fsyncSync);
    this.#close();
    if (this.#failure !== undefined) throw this.#unwritable(this.#failure);
  }

  /** @throws TaskError when its place cannot be taken */
  async publish(): Promise<void> {
    try {
      await rename(this.#temporary, this.#to);
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  /** Removes what is left when the file did not become complete. */
  async discard(): Promise<void> {
    this.#failure ??= new Error('discarded');
    this.#close();
    await rm(this.#temporary, { force: true }).catch(() => undefined);
  }

  #store(bytes: Uint8Array): void {
    this.#attempt((file) => {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    });
  }

  #attempt(work: (file: number) => void): void {
    if (this.#failure !== undefined) return;
    try {
      if (this.#file === undefined) {
        mkdirSync(dirname(this.#to), { recursive: true });
        rmSync(this.#temporary, { force: true });
        this.#file = openSync(this.#temporary, 'wx', 0o600);
      }
      work(this.#file);
    } catch (error) {
      this.#failure = error;
    }
  }

  #close(): void {
    if (this.#file === undefined) return;
    try {
      closeSync(this.#file);
    } catch (error) {
      // Some file systems report only now that there was no room.
      this.#failure ??= error;
    }
    this.#file = undefined;
  }

  #unwritable(error: unknown): TaskError {
    const why = systemReason(error);
    return new TaskError(`"${this.#to}" cannot be written: ${why}.`, { cause: error });
  }
}
