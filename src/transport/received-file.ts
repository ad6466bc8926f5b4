import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FetchAction } from '../core/action.ts';
import { systemReason, TaskError } from '../core/errors.ts';
import type { OutputSink } from '../core/host.ts';
import { encryptStream, type EncryptedStream } from '../util/age.ts';

/**
 * A file received on the controller, with mode 0600. It is written to a temporary file in the same directory and renamed when
 * it is complete. Write errors are stored and thrown by complete(), because nothing catches them where data arrives.
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

  /** SHA-256 in hex of the received bytes, before encryption. */
  get checksum(): string {
    return (this.#checksum ??= this.#hash.digest('hex'));
  }

  write(bytes: Buffer): void {
    this.#hash.update(bytes);
    if (this.#encrypted) this.#encrypted.write(bytes);
    else this.#store(bytes);
  }

  end(): void {
    // Creates the file even if it is empty.
    this.#attempt(() => undefined);
  }

  /** Must be called after all bytes have arrived. @throws TaskError if they could not be written */
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

  /** Renames the temporary file. @throws TaskError if that fails */
  async publish(): Promise<void> {
    try {
      await rename(this.#temporary, this.#to);
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  /** Removes the temporary file. */
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
      // Some file systems report a full disk only on close.
      this.#failure ??= error;
    }
    this.#file = undefined;
  }

  #unwritable(error: unknown): TaskError {
    const why = systemReason(error);
    return new TaskError(`"${this.#to}" cannot be written: ${why}.`, { cause: error });
  }
}
