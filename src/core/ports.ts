import type { ArchiveEntry } from '../util/archive.ts';
import type { FolderEntry } from '../util/folder.ts';

/** Time as the engine and the transport see it, so that tests can make it pass faster. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after the delay, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls the function again and again, the first time after the interval. Does not keep the process alive. Returns what ends it. */
  every(ms: number, work: () => void): () => void;
}

/** Random numbers: nobody can foresee those of the machine, and those of a simulation follow from its seed. */
export interface Random {
  bytes(count: number): Buffer;
}

/** The file of a journal: on the disk of the controller, or in memory. Errors are those of the system. */
export interface JournalFile {
  /** For messages. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  read(offset: number, length: number): Buffer;
  /** Resolves after a moment, in which all hosts of a step write: they share one sync. */
  gather(): Promise<void>;
  /** Resolves when the bytes are in the file. They survive the process then. */
  append(bytes: Buffer): Promise<void>;
  /** Resolves when all bytes of the file are on disk. They survive the machine then. */
  sync(): Promise<void>;
  /** Keeps its first bytes only. */
  cut(size: number): void;
  /** Makes sure there is room for the rollback of that many units. */
  reserve(units: number): void;
  releaseReserve(): void;
  close(): void;
}

/** Files that are read while a playbook is loaded: those of the controller, or others that stand for them. */
export interface Files {
  /** @throws Error with the code of the system, such as ENOENT */
  text(path: string): string;
  /** What is at a path; links are followed. Undefined when nothing is there. */
  look(path: string): FileKind | undefined;
  /** Names in a directory, unsorted. @throws Error with the code of the system */
  names(directory: string): string[];
}

/** Files of the controller that steps bring to hosts or read as values. */
export interface ControllerDisk extends Files {
  /** As `look`, but what cannot be looked at is not taken for absent. @throws Error with the code of the system */
  find(path: string): FileKind | undefined;
  /** @throws Error with the code of the system */
  bytes(path: string): Buffer;
  /** As `bytes`, while others go on. */
  read(path: string): Promise<Buffer>;
  /** The first bytes of a file. @throws Error with the code of the system */
  beginning(path: string, bytes: number): Buffer;
  /** Size, mode and checksum of a file. @throws Error with the code of the system */
  digest(path: string): Promise<FileDigest>;
  /** All that is below a directory. @throws TaskError */
  tree(path: string): Promise<FolderEntry[]>;
  /** What is in an archive. @throws TaskError */
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
