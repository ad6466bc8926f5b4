import { join } from 'node:path';
import { Mke3Cluster } from '../../src/lab/mke3-cluster.ts';
import { LAB_ADMIN } from '../../src/lab/mke3-api.ts';
import { Cli, type CliOptions, type CliResult } from './cli.ts';

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
    return new UpgradeBench(await Mke3Cluster.start(shape));
  }

  get configOut(): string {
    return join(this.cli.dir, 'mke4.yaml');
  }

  inputs(): string[] {
    return this.cluster.upgradeInputs(this.cli.dir);
  }

  upgrade(extra: string[] = [], options: CliOptions = {}): Promise<CliResult> {
    const args = ['play', 'upgrade.yml', ...this.inputs(), '--accept-irreversible', 'remove-mke3'];
    return this.cli.run([...args, '--require-undo', '--output', 'json', ...extra], options);
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    this.cli.dispose();
  }
}
