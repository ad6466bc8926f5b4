/** Time as the engine and the transport see it, so that tests can make it pass faster. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after the delay, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls the function again and again, the first time after the interval. Does not keep the process alive. Returns what ends it. */
  every(ms: number, work: () => void): () => void;
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

export interface FileKind {
  is: 'file' | 'directory' | 'other';
  /** In bytes. */
  size: number;
}
