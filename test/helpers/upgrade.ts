import { join } from 'node:path';
import type { Mke3Cluster } from '../../src/lab/mke3-cluster.ts';
import { LAB_ADMIN } from '../../src/lab/mke3-api.ts';
import { Cli, type CliOptions, type CliResult, type SpawnOptions } from './cli.ts';
import { releaseCluster, takeCluster } from './pool.ts';

/** A cluster in the lab with a command line that can reach it. */
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

  upgrade(extra: string[] = [], options: CliOptions = {}): Promise<CliResult> {
    return this.cli.run(this.#playArgs(extra), options);
  }

  /** The same with the program in a process of its own. */
  spawn(extra: string[] = [], options: SpawnOptions = {}): Promise<CliResult> {
    return this.cli.spawn(this.#playArgs(extra), options);
  }

  #playArgs(extra: string[]): string[] {
    const args = ['play', 'upgrade.yml', ...this.inputs(), '--accept-irreversible', 'remove-mke3'];
    return [...args, '--require-undo', '--output', 'json', ...extra];
  }

  async stop(): Promise<void> {
    await releaseCluster(this.cluster);
    this.cli.dispose();
  }
}
