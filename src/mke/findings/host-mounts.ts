import { objectOf, type JsonObject } from '../../core/json.ts';
import { listOf, textOf } from './cluster-view.ts';
import { containersOf, type Workload } from './workload.ts';

/** A host path that a pod uses. */
export interface HostMount {
  /** Normalized by plainPath. */
  path: string;
  /** `hostPath.type`. With some types, the kubelet does not start the pod if the path is missing. */
  type: string;
  volume: string;
  /** Undefined if no container mounts the volume. */
  container: JsonObject | undefined;
}

/** Normalizes a path: removes `//` and a trailing slash, and replaces `/var/run`, a symbolic link, with `/run`. */
export function plainPath(path: string): string {
  const plain = `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
  return plain === '/var/run' || plain.startsWith('/var/run/') ? plain.slice('/var'.length) : plain;
}

/** Whether a path is the target or one of its parent directories. */
export function holds(path: string, target: string): boolean {
  return path === '/' || path === target || target.startsWith(`${path}/`);
}

export function hostMountsOf({ pod }: Workload): HostMount[] {
  return listOf(pod['volumes']).flatMap((volume): HostMount[] => {
    const { path, type } = objectOf(volume['hostPath']);
    if (typeof path !== 'string') return [];
    const name = textOf(volume['name']);
    const base = { volume: name, type: textOf(type) };
    const mounts = containersOf(pod).flatMap((container) =>
      listOf(container['volumeMounts'])
        .filter((mount) => mount['name'] === name)
        .map((mount) => ({
          ...base,
          path: plainPath(`${path}/${textOf(mount['subPath'])}`),
          container,
        })),
    );
    return mounts.length > 0 ? mounts : [{ ...base, path: plainPath(path), container: undefined }];
  });
}

/** Whether the kubelet refuses to start the pod if the path does not exist or has another type. */
export const mustExist = ({ type }: HostMount): boolean =>
  ['Socket', 'File', 'Directory', 'CharDevice', 'BlockDevice'].includes(type);
