import type { ArchiveEntry } from '../util/archive.ts';
import type { DirectoryEntry } from '../util/directory.ts';

/** The clock of the engine and the transport, which tests can speed up. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after the delay, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls the function at each interval, first after one interval. Does not keep the process alive. Returns a function that stops it. */
  every(ms: number, work: () => void): () => void;
}

/** Random numbers: unpredictable on a real machine, derived from the seed in a simulation. */
export interface Random {
  bytes(count: number): Buffer;
}

/** The file of a journal, on the disk of the controller or in memory. Throws system errors. */
export interface JournalFile {
  /** For messages. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  read(offset: number, length: number): Buffer;
  /** Resolves after a short time, in which all hosts of a step write. They share one sync. */
  gather(): Promise<void>;
  /** Resolves when the bytes are in the file, so that they survive a crash of the process. */
  append(bytes: Buffer): Promise<void>;
  /** Resolves when all bytes of the file are on disk, so that they survive a crash of the machine. */
  sync(): Promise<void>;
  /** Truncates the file to its first bytes. */
  cut(size: number): void;
  /** Reserves disk space for the rollback of that many units. */
  reserve(units: number): void;
  releaseReserve(): void;
  close(): void;
}

/** Files that are read while a playbook is loaded: those of the controller, or substitutes. */
export interface Files {
  /** @throws Error with the code of the system, such as ENOENT */
  text(path: string): string;
  /** The kind of file at a path; links are followed. Undefined when it does not exist. */
  look(path: string): FileKind | undefined;
  /** Names in a directory, unsorted. @throws Error with the code of the system */
  names(directory: string): string[];
}

/** Files of the controller that steps bring to hosts or read as values. */
export interface ControllerDisk extends Files {
  /** Like `look`, but throws for a path that cannot be read. @throws Error with the code of the system */
  find(path: string): FileKind | undefined;
  /** @throws Error with the code of the system */
  bytes(path: string): Buffer;
  /** Like `bytes`, but asynchronous. */
  read(path: string): Promise<Buffer>;
  /** The first bytes of a file. @throws Error with the code of the system */
  beginning(path: string, bytes: number): Buffer;
  /** Size, mode and checksum of a file. @throws Error with the code of the system */
  digest(path: string): Promise<FileDigest>;
  /** All entries below a directory. @throws TaskError */
  tree(path: string): Promise<DirectoryEntry[]>;
  /** The entries of an archive. @throws TaskError */
  archive(path: string): Promise<ArchiveEntry[]>;
}

export interface FileDigest {
  path: string;
  /** Bytes. */
  size: number;
  /** Permissions in octal, such as "0644". */
  mode: string;
  /** SHA-256 in hex. */
  checksum: string;
}

export interface FileKind {
  is: 'file' | 'directory' | 'other';
  /** In bytes. */
  size: number;
}
