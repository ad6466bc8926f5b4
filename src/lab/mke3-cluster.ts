import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../util/package.ts';
import { selfSigned } from './certificate.ts';
import { Lab, type LabHost } from './lab.ts';
import { LAB_ADMIN } from './mke3-answers.ts';
import { Mke3Api } from './mke3-api.ts';
import { podList, seedHost, swarmNode, type Put } from './mke3-seed.ts';
import { NameServer } from './name-server.ts';

export interface ClusterShape {
  managers: number;
  workers: number;
}

/** A simulated MKE 3.7 cluster: stand-ins on lab hosts, and its API. */
export class Mke3Cluster {
  readonly lab: Lab;
  readonly api: Mke3Api;

  /** Stand-in of the k0s DNS service. */
  readonly #names: NameServer;

  private constructor(lab: Lab, api: Mke3Api, names: NameServer) {
    this.lab = lab;
    this.api = api;
    this.#names = names;
  }

  static async start(shape: ClusterShape): Promise<Mke3Cluster> {
    const names = [
      ...Array.from({ length: shape.managers }, (_, index) => `manager${String(index + 1)}`),
      ...Array.from({ length: shape.workers }, (_, index) => `worker${String(index + 1)}`),
    ];
    const certificate = selfSigned(['127.0.0.1'], ['localhost', 'mke.example.com']);
    const dns = await NameServer.start('kubernetes.default.svc.cluster.local', '10.96.0.1');
    const lab = await Lab.start(names, (host, shared) => {
      writeFileSync(join(shared, 'dns'), `127.0.0.1 ${String(dns.port)}\n`);
      const isLeader = host.name === names[0];
      const [put, share] = [into(host.dir), into(shared)];
      seedHost(host, { put, share, certificate: certificate.cert, isLeader });
      if (!isLeader) return;
      mkdirSync(join(shared, 'kube/api/v1'), { recursive: true });
      writeFileSync(join(shared, 'kube/api/v1/pods.json'), JSON.stringify(podList(names)));
    });
    const toml = readFileSync(join(packageRoot(), 'src', 'lab', 'mke3-config.toml'), 'utf8');
    const api = await Mke3Api.start({
      certificate,
      toml,
      nodes: () => swarmNodes(lab.files.shared),
      kubernetes: (path) => {
        const file = join(lab.files.shared, 'kube', `${path.slice(1)}.json`);
        return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as unknown) : undefined;
      },
      isUp: () => controllerRuns(lab.hosts),
    });
    return new Mke3Cluster(lab, api, dns);
  }

  /** Path of the k0s stand-in, for --k0s-binary. */
  get k0sBinary(): string {
    return join(packageRoot(), 'src', 'lab', 'stand-ins', 'k0s');
  }

  /** Writes a file for --acknowledge with the given checks and objects, and returns its path. */
  acknowledge(found: readonly (readonly [id: string, object: string])[]): string {
    const entries = found.map(([id, object]) => ({
      ...{ id, object },
      ...{ reason: 'part of the lab', until: '9999-12-31' },
    }));
    const path = join(this.lab.files.dir, 'acknowledge.yaml');
    writeFileSync(path, `${JSON.stringify(entries, undefined, 2)}\n`);
    return path;
  }

  /** Host checks without "manager_api": the managers of this lab share one API. */
  get hostChecks(): string {
    const file = join(packageRoot(), 'roles', 'mke3_preflight', 'meta', 'main.yml');
    const { inputs } = parse(readFileSync(file, 'utf8')) as {
      inputs: { host_checks: { default: string[] } };
    };
    const checks = inputs.host_checks.default.filter((name) => name !== 'manager_api');
    return `host_checks:=${JSON.stringify(checks)}`;
  }

  /** Arguments of the shipped upgrade for this cluster. @param directory for files that it writes on the controller */
  upgradeInputs(directory: string): string[] {
    return [
      ...['--hosts-path', this.lab.files.hosts, '--mke3-admin-username', LAB_ADMIN.username],
      ...['--external-address', 'mke.example.com', '--mke3-external-address', this.api.address],
      ...['--extra-vars', this.hostChecks],
      // In the lab, the Kubernetes API has the same port as the MKE 3 API.
      ...['--extra-vars', `kubernetes_api_address=${this.api.address}`],
      ...['--k0s-binary', this.k0sBinary, '--config-out', join(directory, 'mke4.yaml')],
    ];
  }

  async stop(): Promise<void> {
    await this.#names.stop();
    await this.api.stop();
    await this.lab.stop();
  }
}

const into =
  (base: string): Put =>
  (path, text) => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), text);
  };

/** Whether `ucp-controller` runs on a manager, as the health check of a load balancer would determine. */
function controllerRuns(hosts: readonly LabHost[]): boolean {
  return hosts.some(({ root }) => {
    const file = join(root.dir, 'var/lib/lab/docker/containers/ucp-controller/state');
    return existsSync(file) && readFileSync(file, 'utf8').trim() === 'running';
  });
}

function swarmNodes(shared: string): unknown[] {
  const directory = join(shared, 'swarm/nodes');
  return readdirSync(directory).map((name) => {
    const read = (file: string) =>
      existsSync(join(directory, name, file))
        ? readFileSync(join(directory, name, file), 'utf8').trim()
        : '';
    const labels = readdirSync(join(directory, name, 'labels')).map((label) => [
      label,
      read(join('labels', label)),
    ]);
    return swarmNode({
      hostname: name,
      id: read('id'),
      role: read('role'),
      address: read('address'),
      isLeader: read('leader') !== '',
      labels: Object.fromEntries(labels) as Record<string, string>,
    });
  });
}
