// Starts hosts of the embedded lab, prints how to reach them as one line of JSON, and removes them when standard input
// ends or a signal arrives. Arguments: MANAGERS WORKERS for an MKE 3 cluster, or "hosts NAME…" for plain hosts.
import { errorMessage } from '../core/errors.ts';
import { Lab } from './lab.ts';
import { LAB_ADMIN } from './mke3-answers.ts';
import { Mke3Cluster } from './mke3-cluster.ts';

async function main([first = '3', ...rest]: string[]): Promise<void> {
  const started = first === 'hosts' ? await startHosts(rest) : await startCluster(first, rest[0]);
  process.stdout.write(`${JSON.stringify(started.description)}\n`);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void started.stop().then(() => process.exit(0));
  };
  process.stdin.on('end', stop).resume();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
}

interface Started {
  description: object;
  stop: () => Promise<void>;
}

async function startHosts(names: readonly string[]): Promise<Started> {
  const lab = await Lab.start(names);
  return { description: describeLab(lab), stop: () => lab.stop() };
}

async function startCluster(managers: string, workers = '2'): Promise<Started> {
  const cluster = await Mke3Cluster.start({ managers: Number(managers), workers: Number(workers) });
  const { lab, api } = cluster;
  return {
    description: {
      ...describeLab(lab),
      mke3Address: api.address,
      hostChecks: cluster.hostChecks,
      admin: LAB_ADMIN,
      k0sBinary: cluster.k0sBinary,
    },
    stop: () => cluster.stop(),
  };
}

function describeLab({ files, hosts }: Lab): object {
  return {
    ...files,
    hostsPath: files.hosts,
    hosts: hosts.map(({ name, address, port }) => ({ name, address, port })),
  };
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exitCode = 1;
});
