/**
 * Processes items with limited concurrency and returns the results in the order of the items. After an error, no further item starts, and the error is thrown when the running ones have ended.
 */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failed) return;
      try {
        results[index] = await work(item, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(limit, items.length) }, worker);
  for (const one of await Promise.allSettled(workers))
    if (one.status === 'rejected') throw one.reason;
  return results;
}
