import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mke3Cluster } from '../../src/lab/mke3-cluster.ts';
import { LAB_ADMIN } from '../../src/lab/mke3-answers.ts';
import type { RunEvent } from '../../src/output/events.ts';
import { packageRoot } from '../../src/util/package.ts';
import { Cli, type CliOptions, type CliResult, type SpawnOptions } from './cli.ts';
import { releaseCluster, takeCluster } from './pool.ts';

export const shippedUpgrade = (): string =>
  readFileSync(join(packageRoot(), 'playbooks/upgrade.yml'), 'utf8');

/**
 * The shipped upgrade, in which a manager restarts after MKE 3 was disabled and before it is
 * stopped.
 */
export function upgradeWithRestart(manager: string): string {
  const next = "  - name: 'Pre-upgrade migrations: stop MKE 3 on the managers'\n";
  const [before, after] = shippedUpgrade().split(next);
  if (before === undefined || after === undefined)
    throw new Error('The shipped upgrade has no play that stops the managers.');
  return `${before}  - name: Restart
    hosts: managers
    become: true
    tasks:
      - name: Restart a host
        when: k8s_node_name == "${manager}"
        reboot: {}
        undo: { none: it happens to a host }

${next}${after}`;
}

/** A cluster in the lab, and a command line that can connect to it. */
export class UpgradeBench {
  readonly cluster: Mke3Cluster;
  readonly cli: Cli;

  private constructor(cluster: Mke3Cluster) {
    this.cluster = cluster;
    this.cli = new Cli({
      MKE3_ADMIN_PASSWORD: LAB_ADMIN.password,
      RUNNER_KNOWN_HOSTS: cluster.lab.files.knownHosts,
    });
  }

  static async start(shape = { managers: 3, workers: 2 }): Promise<UpgradeBench> {
    return new UpgradeBench(await takeCluster(shape));
  }

  get configOut(): string {
    return join(this.cli.dir, 'mke4.yaml');
  }

  inputs(): string[] {
    return this.cluster.upgradeInputs(this.cli.dir);
  }

  upgrade(extra: string[] = [], options: CliOptions = {}, playbook?: string): Promise<CliResult> {
    return this.cli.run(this.#playArgs(extra, playbook), options);
  }

  /** The same in a new process. */
  spawn(extra: string[] = [], options: SpawnOptions = {}): Promise<CliResult> {
    return this.cli.spawn(this.#playArgs(extra), options);
  }

  #playArgs(extra: string[], playbook = 'upgrade.yml'): string[] {
    const args = ['play', playbook, ...this.inputs(), '--accept-irreversible', 'remove-mke3'];
    return [...args, '--require-undo', '--output', 'json', ...extra];
  }

  /** Arguments that accept findings. */
  accept(...more: [id: string, object: string][]): string[] {
    return ['--acknowledge', this.cluster.acknowledge(more)];
  }

  async stop(): Promise<void> {
    await releaseCluster(this.cluster);
    this.cli.dispose();
  }
}

/** The findings that a run printed, in one line. */
export function findingsIn(events: readonly RunEvent[]): string {
  const texts = events.flatMap((event) =>
    event.type === 'document' && event.title === 'Pre-upgrade checks' ? [event.text] : [],
  );
  return texts.join('').replaceAll(/\s+/g, ' ');
}
