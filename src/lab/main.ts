// Brings an MKE 3 cluster of the embedded lab up, prints what is needed to reach it as one JSON line, and takes it
// down when its standard input ends or it is told to stop. Arguments: MANAGERS WORKERS
import { errorMessage } from '../core/errors.ts';
import { LAB_ADMIN } from './mke3-answers.ts';
import { Mke3Cluster } from './mke3-cluster.ts';

async function main([managers = '3', workers = '2']: string[]): Promise<void> {
  const cluster = await Mke3Cluster.start({ managers: Number(managers), workers: Number(workers) });
  const { lab, api } = cluster;
  const description = {
    ...lab.files,
    hostsPath: lab.files.hosts,
    hosts: lab.hosts.map(({ name, address, port }) => ({ name, address, port })),
    mke3Address: api.address,
    hostChecks: cluster.hostChecks,
    admin: LAB_ADMIN,
    k0sBinary: cluster.k0sBinary,
  };
  process.stdout.write(`${JSON.stringify(description)}\n`);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void cluster.stop().then(() => process.exit(0));
  };
  process.stdin.on('end', stop).resume();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exitCode = 1;
});
