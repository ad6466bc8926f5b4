// `npm run bench [-- HOSTS…]`: the same playbooks with runner and, where installed, Ansible and Mitogen, in one go.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { SshdHosts } from './sshd.ts';
import { commandsOnly, realistic, type Dialect } from './workloads.ts';

interface Tool {
  name: string;
  dialect: Dialect;
  command: (playbook: string, hosts: SshdHosts, forks: number) => string[];
  env: Record<string, string>;
}

interface Measure {
  wall: number;
  cpu: number;
}

const root = new URL('../', import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), 'runner-bench-'));
const out = (text: string): boolean => process.stdout.write(text);

function have(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function inventoryOf({ hosts, key, user }: SshdHosts): string {
  const lines = hosts.map(
    ({ name, address, port }) =>
      `    ${name}: { ansible_host: ${address}, ansible_port: ${String(port)}, ansible_user: ${user}, ansible_ssh_private_key_file: ${key} }`,
  );
  const file = join(dir, `inventory-${String(hosts.length)}.yml`);
  writeFileSync(file, `all:\n  hosts:\n${lines.join('\n')}\n`);
  return file;
}

const ansible = (playbook: string, hosts: SshdHosts, forks: number): string[] => [
  ...['ansible-playbook', '-i', inventoryOf(hosts), '-f', String(forks), playbook],
];

function tools(): Tool[] {
  const list: Tool[] = [
    {
      name: 'runner',
      dialect: 'runner',
      command: (playbook, hosts) => [
        ...[process.execPath, join(root, 'bin', 'runner.js'), 'play', playbook],
        ...['-i', inventoryOf(hosts), '--output', 'plain', '--known-hosts', hosts.knownHosts],
      ],
      env: {},
    },
  ];
  if (!have('ansible-playbook')) {
    out('skipped: ansible-playbook is not installed (Debian: ansible-core, ansible-mitogen)\n');
    return list;
  }
  list.push({
    name: 'ansible',
    dialect: 'ansible',
    command: (playbook, hosts) => ansible(playbook, hosts, 5),
    env: {},
  });
  list.push({
    name: 'pipelining',
    dialect: 'ansible',
    command: ansible,
    env: { ANSIBLE_PIPELINING: 'True' },
  });
  const mitogen = '/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy';
  if (existsSync(mitogen)) {
    list.push({
      name: 'mitogen',
      dialect: 'ansible',
      command: ansible,
      env: { ANSIBLE_STRATEGY_PLUGINS: mitogen, ANSIBLE_STRATEGY: 'mitogen_linear' },
    });
  } else {
    out('skipped: Mitogen is not installed (Debian: ansible-mitogen)\n');
  }
  return list;
}

/** Wall and CPU seconds of the controller's processes; the servers are not its children. */
function measure(
  [file = '', ...args]: string[],
  hosts: SshdHosts,
  env: Record<string, string>,
): Promise<Measure> {
  const child = spawn(
    'bash',
    ['-c', 'TIMEFORMAT="%R %U %S"; time "$@" >"$0" 2>&1', join(dir, 'log'), file, ...args],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        ...env,
        XDG_STATE_HOME: join(dir, 'state'),
        HOME: dir,
        ANSIBLE_HOST_KEY_CHECKING: 'True',
        ANSIBLE_SSH_ARGS: `-o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${hosts.knownHosts}`,
      },
    },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      const [wall = NaN, user = NaN, system = NaN] = (said.trim().split('\n').at(-1) ?? '')
        .split(' ')
        .map(Number);
      if (code === 0) resolve({ wall, cpu: user + system });
      else reject(new Error(`${file} ended with code ${String(code)}; see ${join(dir, 'log')}`));
    });
  });
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function compare(count: number, runs: number): Promise<void> {
  const folder = join(dir, String(count));
  mkdirSync(folder);
  const hosts = await SshdHosts.start(folder, count);
  const stop = (): void => {
    hosts.stop();
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    for (const workload of ['W1 30 commands', 'W2 first', 'W2 again'] as const) {
      let base: Measure | undefined;
      for (const tool of tools()) {
        const files = join(dir, `files-${String(count)}-${tool.name}`);
        const text = workload.startsWith('W1')
          ? commandsOnly(tool.dialect)
          : realistic(tool.dialect, files);
        const playbook = join(dir, `${tool.name}.yml`);
        writeFileSync(playbook, text);
        const measures: Measure[] = [];
        for (let run = 0; run < runs; run++) {
          if (workload === 'W2 first') {
            rmSync(files, { recursive: true, force: true });
            for (const { name } of hosts.hosts) mkdirSync(join(files, name), { recursive: true });
          }
          measures.push(
            await measure(tool.command(playbook, hosts, Math.max(5, count)), hosts, tool.env),
          );
        }
        const result = {
          wall: median(measures.map(({ wall }) => wall)),
          cpu: median(measures.map(({ cpu }) => cpu)),
        };
        base ??= result;
        const cells = [
          workload.padEnd(15),
          String(count).padStart(5),
          tool.name.padEnd(11),
          result.wall.toFixed(2).padStart(8),
          `${(result.wall / base.wall).toFixed(1)}x`.padStart(8),
          result.cpu.toFixed(2).padStart(9),
          `${(result.cpu / base.cpu).toFixed(1)}x`.padStart(8),
        ];
        out(`${cells.join('  ')}\n`);
      }
    }
  } finally {
    hosts.stop();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

const counts = process.argv
  .slice(2)
  .map(Number)
  .filter((count) => count > 0);
const runs = Number(process.env['BENCH_RUNS'] ?? 1);
try {
  out(`${String(cpus().length)} cores, Node ${process.version}, median of ${String(runs)}\n`);
  out('workload         hosts  tool          wall s     wall    cpu s      cpu\n');
  for (const count of counts.length > 0 ? counts : [1, 10]) await compare(count, runs);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
