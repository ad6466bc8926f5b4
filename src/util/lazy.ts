/**
 * Loads a part of the program at its first use. Later uses read no file, so a simulation that has loaded it does not wait for the disk.
 */
export function lazy<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => (loaded ??= load());
}
