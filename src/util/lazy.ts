/**
 * Loads a part of the program at its first use, once. Afterwards the part is there without reading a file: a
 * simulation that has loaded it before does not wait for the disk.
 */
export function lazy<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => (loaded ??= load());
}
