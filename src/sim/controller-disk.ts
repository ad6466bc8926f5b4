import { createHash } from 'node:crypto';
import type { ControllerDisk } from '../core/ports.ts';
import { localDisk } from '../util/local-files.ts';

/**
 * Local files, plus files that exist only in memory. All calls complete at once: with a virtual
 * clock, nothing may take real time.
 */
export function controllerDisk(written: ReadonlyMap<string, Buffer>): ControllerDisk {
  const bytes = (path: string): Buffer => written.get(path) ?? localDisk.bytes(path);
  const find: ControllerDisk['find'] = (path) => {
    const own = written.get(path);
    return own ? { is: 'file', size: own.length } : localDisk.find(path);
  };
  const none = (): Promise<never> => Promise.reject(new Error('Not supported in a simulation.'));
  return {
    ...{ bytes, find, look: find, tree: none, archive: none },
    text: (path) => bytes(path).toString('utf8'),
    names: (directory) => localDisk.names(directory),
    read: (path) => Promise.resolve().then(() => bytes(path)),
    beginning: (path, count) => bytes(path).subarray(0, count),
    digest: (path) =>
      Promise.resolve().then(() => {
        const content = bytes(path);
        const checksum = createHash('sha256').update(content).digest('hex');
        return { path, size: content.length, mode: '0644', checksum };
      }),
  };
}
