import { createReadStream } from 'node:fs';
import type { FetchAction, UploadAction } from '../core/action.ts';
import { systemReason, TaskError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';
import type { OutputSink } from '../core/host.ts';
import { ReceivedFile } from './received-file.ts';
import type { ShellCommand } from './scripts.ts';

const UPLOAD = { highWaterMark: 1024 * 1024 };

/**
 * The bytes that were announced, no more and no fewer: the host would wait for what is missing, and take what is too
 * much for commands.
 * @throws TaskError when the file is not any more what it was
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
    throw new TaskError(`"${from}" became shorter while it was sent.`, { hint: 'Try again.' });
}

/** The files that come with an answer: for each command that fetches one, by its index. */
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
   * @param first index of the output from which all must be good
   * @throws TaskError when the bytes are not those of the file on the host, or cannot be written
   */
  async finish(outputs: readonly CommandOutput[], first: number): Promise<void> {
    if (outputs.slice(first).some(({ code }) => code !== 0)) return;
    for (const [index, { action, file }] of this.#files) {
      // The command before says which checksum is wanted, where the action does not.
      const wanted = action.checksum ?? outputs[index - 1]?.stdout.split(/\s/)[0];
      await file.complete();
      if (file.checksum !== wanted)
        throw new TaskError(`"${action.path}" changed while it was read.`, { hint: 'Try again.' });
      await file.publish();
    }
  }

  /** Removes what did not become complete. */
  async discard(): Promise<void> {
    for (const { file } of this.#files.values()) await file.discard();
  }
}

/** The copies that `rn_keep` prints, by their names. */
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
