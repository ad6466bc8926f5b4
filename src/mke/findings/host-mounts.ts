import { objectOf, type JsonObject } from '../../core/json.ts';
import { listOf, textOf } from './cluster-view.ts';
import { containersOf, type Workload } from './workload.ts';

/** A path of the host that a pod has. */
export interface HostMount {
  /** In the form of `hostPath`. */
  path: string;
  /** `hostPath.type`: with some, the kubelet does not start the pod while the path is missing. */
  type: string;
  volume: string;
  /** Undefined where no container mounts the volume. */
  container: JsonObject | undefined;
}

/** One form for each path: without `//` and a slash at the end, and `/run` for `/var/run`, which is a link to it. */
export function plainPath(path: string): string {
  const plain = `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
  return plain === '/var/run' || plain.startsWith('/var/run/') ? plain.slice('/var'.length) : plain;
}

/** Whether a path is the target or a directory above it. */
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

/** Whether the kubelet refuses to start the pod when nothing of the type is at the path. */
export const mustExist = ({ type }: HostMount): boolean =>
  ['Socket', 'File', 'Directory', 'CharDevice', 'BlockDevice'].includes(type);
