import { rmSync } from 'node:fs';
import { Lab, type LabFiles, type LabHost } from '../../src/lab/lab.ts';
import { Mke3Cluster, type ClusterShape } from '../../src/lab/mke3-cluster.ts';

/** Number of hosts in the lab of a worker; a test that needs fewer sees only the first ones. */
const HOSTS = 6;

/** Unused labs of this worker, all in their initial state. */
const idle = new Map<string, unknown[]>();
const directories = new Set<string>();

// Hosts end with this process by themselves; see enter-root.sh.
process.on('exit', () => {
  for (const dir of directories) rmSync(dir, { recursive: true, force: true });
});

async function take<T>(kind: string, start: () => Promise<T>): Promise<T> {
  const known = idle.get(kind)?.pop() as T | undefined;
  return known ?? start();
}

function give(kind: string, lab: unknown): void {
  idle.set(kind, [...(idle.get(kind) ?? []), lab]);
}

/** Some hosts of a lab. */
export interface LabPart {
  readonly hosts: readonly LabHost[];
  readonly files: LabFiles;
  host(name: string): LabHost;
  /** Restores all hosts and their shared directory. */
  restore(): Promise<void>;
  /** Ends the hosts permanently, like a failure of their machine. */
  stop(): Promise<void>;
  /** Returns the hosts; the next test file gets them in their initial state. */
  release(): Promise<void>;
}

/**
 * Hosts h1, h2, … that keep running for the tests of this worker. More than six are started only
 * for the caller.
 */
export async function takeHosts(count: number): Promise<LabPart> {
  const names = Array.from({ length: Math.max(count, HOSTS) }, (_, i) => `h${String(i + 1)}`);
  const shared = count <= HOSTS;
  const start = async () => prepared(await Lab.start(names));
  const lab = shared ? await take('hosts', start) : await start();
  let stopped = !shared;
  return {
    hosts: lab.hosts.slice(0, count),
    files: lab.files,
    host: (name) => lab.host(name),
    restore: () => lab.restore(),
    stop: () => {
      stopped = true;
      return lab.stop();
    },
    release: async () => {
      if (stopped) return lab.stop();
      await lab.restore();
      give('hosts', lab);
    },
  };
}

/** A cluster of MKE 3 that keeps running for the tests of this worker. */
export async function takeCluster(shape: ClusterShape): Promise<Mke3Cluster> {
  return take(kindOf(shape), async () => {
    const cluster = await Mke3Cluster.start(shape);
    prepared(cluster.lab);
    return cluster;
  });
}

export async function releaseCluster(cluster: Mke3Cluster): Promise<void> {
  await cluster.lab.restore();
  const managers = cluster.lab.hosts.filter(({ name }) => name.startsWith('manager')).length;
  give(kindOf({ managers, workers: cluster.lab.hosts.length - managers }), cluster);
}

function kindOf({ managers, workers }: ClusterShape): string {
  return `mke3:${String(managers)}+${String(workers)}`;
}

function prepared(lab: Lab): Lab {
  lab.snapshot();
  directories.add(lab.files.dir);
  return lab;
}
