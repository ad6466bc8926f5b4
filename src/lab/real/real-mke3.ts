import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { packageRoot } from '../../util/package.ts';
import { LAB_ADMIN } from '../mke3-answers.ts';
import type { ClusterShape } from '../mke3-cluster.ts';
import { RealLabError, type RealPrograms } from './programs.ts';
import { RealLab } from './real-lab.ts';

const run = promisify(execFile);
const FORM_MS = 300_000;

/** An MKE 3.7 cluster on the hosts of a real lab, created by a playbook. */
export class RealMke3 {
  readonly lab: RealLab;

  private constructor(lab: RealLab) {
    this.lab = lab;
  }

  /** @throws RealLabError */
  static async start(
    { managers, workers }: ClusterShape,
    cache: string,
    programs: RealPrograms = {},
  ): Promise<RealMke3> {
    const names = [
      ...Array.from({ length: managers }, (_, index) => `manager${String(index + 1)}`),
      ...Array.from({ length: workers }, (_, index) => `worker${String(index + 1)}`),
    ];
    const lab = await RealLab.start(names, cache, programs);
    try {
      await form(lab);
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return new RealMke3(lab);
  }

  /** The shipped upgrade; with a real k0s, an overlay that also copies its images. */
  get playbook(): string {
    if (!this.lab.programs.k0s) return 'upgrade.yml';
    return join(packageRoot(), 'src', 'lab', 'real', 'k0s-upgrade.yml');
  }

  /** Arguments of the shipped upgrade for this cluster. @param directory for files that it writes on the controller */
  upgradeInputs(directory: string): string[] {
    const { lab } = this;
    return [
      ...['--hosts-path', lab.hostsYaml, '--mke3-admin-username', LAB_ADMIN.username],
      ...['--external-address', 'mke.example.com'],
      // A real k0s is already on the hosts, as if the operator had distributed it.
      ...(lab.programs.k0s
        ? ['--k0s-version', lab.programs.k0s.version]
        : ['--k0s-binary', lab.k0sBinary]),
      ...['--mke3-external-address', lab.host('manager1').address],
      // The lab has a Swarm service, which the upgrade removes.
      ...['--acknowledge', this.#acknowledge(directory)],
      // The lab has no metrics-server, and without CoreDNS and kube-proxy service addresses do not work.
      ...[
        '--extra-vars',
        `network_pods=k8s-app in (konnectivity-agent${lab.programs.coredns ? ',kube-dns' : ''})`,
      ],
      ...(lab.programs.coredns ? [] : ['--extra-vars', 'dns_service=']),
      // Its hosts run Debian.
      ...['--extra-vars', 'supported_systems:=["debian 12"]'],
      ...[
        '--kubeconfig-out',
        join(directory, 'mke.kubeconf'),
        '--config-out',
        join(directory, 'mke4.yaml'),
      ],
    ];
  }

  #acknowledge(directory: string): string {
    const path = join(directory, 'acknowledge.yaml');
    const accepted = { reason: 'part of the lab', until: '9999-12-31' };
    const entries = [{ id: 'swarm_services', object: 'service shop', ...accepted }];
    writeFileSync(path, `${JSON.stringify(entries)}\n`);
    return path;
  }

  get env(): Record<string, string> {
    return {
      RUNNER_KNOWN_HOSTS: this.lab.knownHosts,
      MKE3_ADMIN_PASSWORD: LAB_ADMIN.password,
    };
  }

  stop(): Promise<void> {
    return this.lab.stop();
  }
}

async function form(lab: RealLab): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'runner-form-'));
  const inventory = join(lab.dir, 'inventory.yml');
  writeFileSync(inventory, stringify(inventoryOf(lab)));
  const playbook = join(packageRoot(), 'src', 'lab', 'real', 'mke3.yml');
  const [program, ...args] = lab.inside([
    ...[process.execPath, join(packageRoot(), 'bin', 'runner.js')],
    ...['play', playbook, '-i', inventory, '--on-failure', 'stop'],
  ]);
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: home,
    RUNNER_KNOWN_HOSTS: lab.knownHosts,
  };
  try {
    await run(program, args, { env, timeout: FORM_MS, maxBuffer: 1 << 26 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new RealLabError(`MKE 3 did not start. ${(stdout + stderr).slice(-2000)}`, {
      cause: error,
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function inventoryOf(lab: RealLab): unknown {
  const group = (prefix: string) => lab.hosts.filter(({ name }) => name.startsWith(prefix));
  const members = (prefix: string) => ({
    hosts: Object.fromEntries(
      group(prefix).map(({ name, address }) => [name, { ansible_host: address }]),
    ),
  });
  const peers = group('manager').map(({ name, address }) => `${name}=https://${address}:12380`);
  const vars = {
    ansible_user: 'deploy',
    ansible_ssh_private_key_file: lab.key,
    etcd_cluster: peers.join(','),
    kube_apiserver: lab.programs.kubeApiserver !== undefined,
  };
  return {
    all: { vars, children: { lab_managers: members('manager'), lab_workers: members('worker') } },
  };
}
