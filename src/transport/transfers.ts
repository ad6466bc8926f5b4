import { createReadStream } from 'node:fs';
import type { FetchAction, UploadAction } from '../core/action.ts';
import { systemReason, TaskError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';
import type { OutputSink } from '../core/host.ts';
import { ReceivedFile } from './received-file.ts';
import type { ShellCommand } from './scripts.ts';

const UPLOAD = { highWaterMark: 1024 * 1024 };

/**
 * Reads exactly the announced number of bytes: the host would wait for missing bytes, and run additional bytes as commands.
 * @throws TaskError if the file has become shorter or cannot be read
 */
export async function* uploadedBytes({ from, size }: UploadAction): AsyncIterable<Buffer> {
  let sent = 0;
  try {
    for await (const chunk of createReadStream(from, {
      ...UPLOAD,
      end: size - 1,
    }) as AsyncIterable<Buffer>) {
      sent += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw new TaskError(`"${from}" cannot be read: ${systemReason(error)}.`, { cause: error });
  }
  if (sent < size)
    throw new TaskError(`"${from}" became shorter during the upload.`, { hint: 'Try again.' });
}

/** The files that an answer contains, by the index of the command that fetches the file. */
export class FetchedFiles {
  readonly #files: ReadonlyMap<number, { action: FetchAction; file: ReceivedFile }>;

  private constructor(files: ReadonlyMap<number, { action: FetchAction; file: ReceivedFile }>) {
    this.#files = files;
  }

  static async create(commands: readonly ShellCommand[]): Promise<FetchedFiles> {
    const files = new Map<number, { action: FetchAction; file: ReceivedFile }>();
    for (const [index, { fetch: action }] of commands.entries())
      if (action) files.set(index, { action, file: await ReceivedFile.create(action) });
    return new FetchedFiles(files);
  }

  sink(index: number): OutputSink | undefined {
    return this.#files.get(index)?.file;
  }

  /**
   * Verifies and publishes the files if all outputs from `first` on succeeded.
   * @throws TaskError if a checksum differs, or a file cannot be written
   */
  async finish(outputs: readonly CommandOutput[], first: number): Promise<void> {
    if (outputs.slice(first).some(({ code }) => code !== 0)) return;
    for (const [index, { action, file }] of this.#files) {
      // Without a checksum in the action, the output of the command before it is the expected checksum.
      const wanted = action.checksum ?? outputs[index - 1]?.stdout.split(/\s/)[0];
      await file.complete();
      if (file.checksum !== wanted)
        throw new TaskError(`"${action.path}" changed during the transfer.`, {
          hint: 'Try again.',
        });
      await file.publish();
    }
  }

  /** Removes incomplete files. */
  async discard(): Promise<void> {
    for (const { file } of this.#files.values()) await file.discard();
  }
}

/** Collects the copies that `rn_keep` prints, by name. */
export class KeptCopies implements OutputSink {
  readonly copies = new Map<string, Buffer>();
  readonly #chunks: Buffer[] = [];

  write(bytes: Buffer): void {
    this.#chunks.push(bytes);
  }

  end(): void {
    const lines = Buffer.concat(this.#chunks).toString('latin1').split('\n');
    for (let line = 0; line + 1 < lines.length; line += 2) {
      const [name = '', content = ''] = lines.slice(line, line + 2);
      this.copies.set(name, Buffer.from(content, 'base64'));
    }
  }
}
