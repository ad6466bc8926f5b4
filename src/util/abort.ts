const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls the function when the signal is aborted, unless the returned function was called before. The signal itself gets
 * one listener, because adding and removing one for each answer of a host is slow.
 */
export function onAbort(signal: AbortSignal | undefined, work: () => void): () => void {
  if (!signal || signal.aborted) return () => undefined;
  const known = listeners.get(signal);
  const all = known ?? new Set();
  if (!known) {
    listeners.set(signal, all);
    const callAll = () => {
      for (const one of all) one();
    };
    signal.addEventListener('abort', callAll, { once: true });
  }
  // Not the function itself, which a caller can pass twice.
  const own = () => {
    work();
  };
  all.add(own);
  return () => {
    all.delete(own);
  };
}
