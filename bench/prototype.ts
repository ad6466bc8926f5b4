/**
 * A minimal implementation for comparison: no playbook, journal, checks or display. The bench calls it as
 * `prototype MODE PLAN`; PLAN is a JSON file with hosts, key and one shell command per task and host.
 *   b: one persistent sh per host, one round trip per task
 *   c: the same, all tasks sent without waiting
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import ssh2, { type Client, type ClientChannel } from 'ssh2';

export interface PrototypePlan {
  key: string;
  user: string;
  hosts: { address: string; port: number; tasks: string[] }[];
}

const DIALLING = 8;

async function main([mode, file]: string[]): Promise<void> {
  const plan = JSON.parse(readFileSync(file ?? '', 'utf8')) as PrototypePlan;
  const waiting = [...plan.hosts];
  const work: Promise<void>[] = [];
  const dial = async (): Promise<void> => {
    for (let host = waiting.shift(); host; host = waiting.shift()) {
      const client = await open(host, plan);
      work.push(runTasks(client, host.tasks, mode === 'c'));
    }
  };
  await Promise.all(Array.from({ length: DIALLING }, dial));
  await Promise.all(work);
}

function open(
  { address, port }: { address: string; port: number },
  plan: PrototypePlan,
): Promise<Client> {
  const client = new ssh2.Client();
  const sock = connect({ host: address, port, noDelay: true });
  return new Promise((resolve, reject) => {
    client.once('ready', () => {
      resolve(client);
    });
    client.once('error', reject);
    sock.once('error', reject);
    sock.once('connect', () => {
      client.connect({
        sock,
        username: plan.user,
        privateKey: readFileSync(plan.key),
        hostVerifier: () => true,
      });
    });
  });
}

function runTasks(client: Client, tasks: string[], pipelined: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    client.exec('exec /bin/sh', (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      let done = 0;
      let said = '';
      const send = (index: number): void => {
        channel.write(`{ ${tasks[index] ?? ':'}\n} </dev/null >/dev/null; echo "done $?"\n`);
      };
      channel.on('data', (chunk: Buffer) => {
        said += chunk.toString('latin1');
        for (let at = said.indexOf('\n'); at >= 0; at = said.indexOf('\n')) {
          const line = said.slice(0, at);
          said = said.slice(at + 1);
          if (line !== 'done 0') reject(new Error(`task ${String(done)}: ${line}`));
          done++;
          if (done === tasks.length) finish(client, channel, resolve);
          else if (!pipelined) send(done);
        }
      });
      channel.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
      if (pipelined)
        tasks.forEach((_, index) => {
          send(index);
        });
      else send(0);
    });
  });
}

function finish(client: Client, channel: ClientChannel, resolve: () => void): void {
  channel.end();
  client.end();
  resolve();
}

await main(process.argv.slice(2));
