import { TaskError } from '../core/errors.ts';
import { Mke3Client, type Send } from './api.ts';
import { DOCKER_ROOT } from './findings/docker-mounts.ts';
import { dataRoots } from './findings/engine-settings.ts';
import type { Finding } from './findings/finding.ts';
import { imagesOf, type HostFacts } from './findings/host-facts.ts';
import { NEEDED_PORTS } from './findings/host-ports.ts';
import { readCluster } from './findings/read-cluster.ts';
import { minorOf } from './findings/removed-api-table.ts';
import { workloadFindings } from './findings/workload-findings.ts';
import type { Mke3WorkloadsArgs } from './workloads-args.ts';

/**
 * Runs the workload checks; the implementation of the module mke3_workloads.
 * @param send sends requests to the APIs of MKE 3 and Kubernetes
 * @throws TaskError if the API of MKE 3 rejects the login
 */
export async function findingsOfWorkloads(args: Mke3WorkloadsArgs, send: Send): Promise<Finding[]> {
  const { url, username, password, ca, kubernetes_version: release, hosts = [] } = args;
  if (Number.isNaN(minorOf(release)))
    throw new TaskError(`"${release}" is not a Kubernetes version.`, {
      hint: 'Use the form v1.29.15+k0s.0.',
    });
  const client = new Mke3Client({ url, username, password, ca }, send);
  await client.requireAdmin();
  const facts = hosts.map(({ host, daemon_json, images }): HostFacts => ({
    host,
    daemon_json,
    images: imagesOf(images),
  }));
  const roots = [DOCKER_ROOT, ...dataRoots(facts)];
  const kubernetes = args.kubernetes_url ?? '';
  const { view, accounts, metrics, unread } = await readCluster(client, {
    kubernetes: kubernetes === '' ? kubernetesOf(url) : kubernetes,
    roots,
  });
  const known = NEEDED_PORTS.controllers;
  const others = (args.controller_ports ?? []).map((port) => [port, known[port] ?? 'k0s']);
  const ports = {
    ...NEEDED_PORTS,
    controllers: { ...known, ...(Object.fromEntries(others) as Record<number, string>) },
  };
  // Only findings leave this function: the objects include the Secrets of Helm releases.
  const findings = workloadFindings({ view, hosts: facts, accounts, metrics, release, ports });
  return [...findings, ...unread];
}

function kubernetesOf(url: string): string {
  return `https://${new URL(url).hostname}:6443`;
}
