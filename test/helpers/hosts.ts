import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Cli, type CliOptions, type CliResult, type SpawnOptions } from './cli.ts';
import { takeHosts, type LabPart } from './pool.ts';

/** Plain lab hosts, called h1, h2, …, with a command line that plays text against them. */
export class HostsBench {
  readonly lab: LabPart;
  cli: Cli;
  inventory = '';

  private constructor(lab: LabPart) {
    this.lab = lab;
    this.cli = this.#newCli();
  }

  /** Restores the hosts and deletes all runs, so that a test does not affect the next one. */
  async reset(): Promise<void> {
    await this.lab.restore();
    this.forgetRuns();
  }

  /**
   * Deletes only the runs, for a second part of a test: the hosts keep the changes of the first
   * part.
   */
  forgetRuns(): void {
    for (const { root } of this.lab.hosts)
      rmSync(join(root.dir, 'var/lib/runner/lock'), { force: true });
    this.cli.dispose();
    this.cli = this.#newCli();
  }

  #newCli(): Cli {
    const { lab } = this;
    const cli = new Cli({ RUNNER_KNOWN_HOSTS: lab.files.knownHosts });
    const lines = lab.hosts.map(
      ({ name, address, port }) =>
        `    ${name}: { ansible_host: ${address}, ansible_port: ${String(port)}, ansible_user: root, ansible_ssh_private_key_file: ${lab.files.key} }`,
    );
    this.inventory = cli.file('inventory.yml', `all:\n  hosts:\n${lines.join('\n')}\n`);
    return cli;
  }

  static async start(count: number): Promise<HostsBench> {
    return new HostsBench(await takeHosts(count));
  }

  play(text: string, extra: string[] = [], options: CliOptions = {}): Promise<CliResult> {
    return this.cli.run(this.#playArgs(text, extra), options);
  }

  /** The same in a new process. */
  spawn(text: string, extra: string[] = [], options: SpawnOptions = {}): Promise<CliResult> {
    return this.cli.spawn(this.#playArgs(text, extra), options);
  }

  #playArgs(text: string, extra: string[]): string[] {
    const playbook = this.cli.file('playbook.yml', text);
    return ['play', playbook, '-i', this.inventory, '--output', 'json', ...extra];
  }

  /** A file of a host; undefined if it does not exist. */
  read(host: string, path: string): string | undefined {
    try {
      return readFileSync(join(this.lab.host(host).root.dir, path), 'utf8');
    } catch {
      return undefined;
    }
  }

  /**
   * Output of a shell command on a host, run as root without runner.
   *
   * @throws Error when it fails
   */
  async shell(host: string, command: string): Promise<string> {
    const child = this.lab.host(host).root.spawn(command);
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    const errors: Buffer[] = [];
    child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
    child.stdin?.end();
    const [code] = (await once(child, 'close')) as [number];
    if (code === 0) return Buffer.concat(chunks).toString('utf8');
    throw new Error(
      `${command}\nended with ${String(code)}: ${Buffer.concat(errors).toString('utf8')}`,
    );
  }

  async stop(): Promise<void> {
    await this.lab.release();
    this.cli.dispose();
  }
}
