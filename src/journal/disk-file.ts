import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  openSync,
  readSync,
  truncateSync,
  write,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errorMessage, JournalError } from '../core/errors.ts';
import type { JournalFile } from '../core/ports.ts';
import { syncDirectory } from './durable.ts';
import { Reserve } from './reserve.ts';

/**
 * The file of a journal on the controller, and the disk space reserved for its rollback records.
 */
export class DiskFile implements JournalFile {
  readonly path: string;
  readonly #fd: number;
  readonly #reserve: Reserve;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    this.#reserve = new Reserve(join(dirname(path), 'reserve'));
  }

  static create(path: string): DiskFile {
    const file = openSync(path, 'ax+', 0o600);
    syncDirectory(dirname(path));
    return new DiskFile(path, file);
  }

  /** @throws JournalError if the file cannot be opened */
  static open(path: string): DiskFile {
    try {
      return new DiskFile(path, openSync(path, constants.O_RDWR | constants.O_APPEND));
    } catch (error) {
      const why = errorMessage(error);
      throw new JournalError(`Cannot read the journal "${path}": ${why}.`, { cause: error });
    }
  }

  get size(): number {
    return fstatSync(this.#fd).size;
  }

  read(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#fd, bytes, 0, length, offset);
    return bytes;
  }

  gather(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  append(bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = (offset: number) => {
        if (offset >= bytes.length) {
          resolve();
          return;
        }
        write(this.#fd, bytes, offset, bytes.length - offset, null, (error, written) => {
          if (error) reject(error);
          else next(offset + written);
        });
      };
      next(0);
    });
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  cut(size: number): void {
    truncateSync(this.path, size);
  }

  reserve(units: number): void {
    this.#reserve.ensure(units);
  }

  releaseReserve(): void {
    this.#reserve.release();
  }

  close(): void {
    closeSync(this.#fd);
  }
}
