// `npm run bench -- [--hosts 1,10] [--rtt 0,20] [--work W1,W2,W4] [--tools runner,b,c,…] [--runs N]
// [--embedded 1000] [--undo 1,10]`:
// measures the same work with runner, with minimal prototypes and, if they are installed, with Ansible and Mitogen.
// `--baseline DIR` compares with the build in DIR, another clone. Ratios are relative to the baseline.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { Lab } from '../src/lab/lab.ts';
import type { PrototypePlan } from './prototype.ts';
import { SshdHosts } from './sshd.ts';
import { journalCost, rollbackTime } from './undo.ts';
import {
  commandsOnly,
  commandsOnlyShell,
  largeFile,
  realistic,
  realisticShell,
  type Dialect,
} from './workloads.ts';

interface Job {
  playbook: (dialect: Dialect) => string;
  /** Shell commands for the prototypes; undefined if they have no counterpart. */
  shell: ((host: string) => string[]) | undefined;
  /** Before each measured run. */
  prepare: () => void;
}

interface Tool {
  name: string;
  /** With more hosts it would take minutes to hours. */
  mostHosts: number;
  command: (job: Job, hosts: SshdHosts) => string[][] | undefined;
  env: Record<string, string>;
}

interface Measure {
  wall: number;
  cpu: number;
  /** Peak resident memory of the first process, MB. */
  memory: number;
}

const { values: options } = parseArgs({
  options: {
    hosts: { type: 'string', default: '1,10' },
    rtt: { type: 'string', default: '0' },
    work: { type: 'string', default: 'W1,W2' },
    tools: { type: 'string' },
    runs: { type: 'string', default: '1' },
    embedded: { type: 'string' },
    undo: { type: 'string' },
    baseline: { type: 'string' },
  },
});
const root = new URL('../', import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), 'runner-bench-'));
const runs = Number(options.runs);
const out = (text: string): boolean => process.stdout.write(text);
const LARGE_MB = 100;

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
  const file = join(dir, 'inventory.yml');
  writeFileSync(file, `all:\n  hosts:\n${lines.join('\n')}\n`);
  return file;
}

function playbookOf(job: Job, dialect: Dialect): string {
  const file = join(dir, `${dialect}.yml`);
  writeFileSync(file, job.playbook(dialect));
  return file;
}

const runnerCommand = (
  playbook: string,
  inventory: string,
  knownHosts: string,
  clone = root,
): string[] => [
  ...[process.execPath, join(clone, 'bin', 'runner.js'), 'play', playbook, '-i', inventory],
  ...['--output', 'plain', '--known-hosts', knownHosts, '--ssh-config', 'none'],
];

async function createTools(): Promise<Tool[]> {
  const prototype = join(root, 'node_modules', '.cache', 'runner-bench', 'prototype.mjs');
  await build({
    entryPoints: [join(root, 'bench', 'prototype.ts')],
    outfile: prototype,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  const bare = (name: 'b' | 'c'): Tool => ({
    name,
    mostHosts: Infinity,
    env: {},
    command: ({ shell }, { hosts, key, user }) => {
      if (!shell) return undefined;
      const plan: PrototypePlan = {
        key,
        user,
        hosts: hosts.map((host) => ({
          address: host.address,
          port: host.port,
          tasks: shell(host.name),
        })),
      };
      const file = join(dir, 'plan.json');
      writeFileSync(file, JSON.stringify(plan));
      return [[process.execPath, prototype, name, file]];
    },
  });
  const ansible = (name: string, forks: number | undefined, env: Record<string, string>): Tool => ({
    name,
    mostHosts: 10,
    env,
    command: (job, hosts) => [
      [
        ...['ansible-playbook', '-i', inventoryOf(hosts)],
        ...['-f', String(forks ?? Math.max(5, hosts.hosts.length)), playbookOf(job, 'ansible')],
      ],
    ],
  });
  const copier = (
    name: string,
    argv: (hosts: SshdHosts, host: SshdHosts['hosts'][number]) => string[],
  ): Tool => ({
    name,
    mostHosts: 10,
    env: {},
    command: (job, hosts) =>
      job.shell || !have(name) ? undefined : hosts.hosts.map((host) => argv(hosts, host)),
  });
  const ssh = ({ knownHosts, key }: SshdHosts, port: number, flag: string): string[] => [
    ...['-F', 'none', '-i', key, flag, String(port)],
    ...['-o', `UserKnownHostsFile=${knownHosts}`],
  ];
  const runner = (name: string, clone: string): Tool => ({
    name,
    mostHosts: Infinity,
    env: {},
    command: (job, hosts) => [
      runnerCommand(playbookOf(job, 'runner'), inventoryOf(hosts), hosts.knownHosts, clone),
    ],
  });
  if (options.baseline !== undefined)
    return [runner('baseline', resolve(options.baseline)), runner('runner', root)];
  const list: Tool[] = [
    runner('runner', root),
    bare('b'),
    bare('c'),
    copier('scp', (hosts, { address, port, name }) => [
      ...['scp', '-q', ...ssh(hosts, port, '-P'), large()],
      `${hosts.user}@${address}:${files()}/${name}/large`,
    ]),
    copier('rsync', (hosts, { address, port, name }) => [
      ...['rsync', '-c', '-e', `ssh ${ssh(hosts, port, '-p').join(' ')}`, large()],
      `${hosts.user}@${address}:${files()}/${name}/large`,
    ]),
  ];
  if (have('ansible-playbook')) {
    list.push(ansible('ansible', 5, {}));
    list.push(ansible('pipelining', undefined, { ANSIBLE_PIPELINING: 'True' }));
    const plugins = '/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy';
    if (existsSync(plugins)) {
      const env = { ANSIBLE_STRATEGY_PLUGINS: plugins, ANSIBLE_STRATEGY: 'mitogen_linear' };
      list.push(ansible('mitogen', undefined, env));
    } else {
      out('skipped: Mitogen is not installed (Debian: ansible-mitogen)\n');
    }
  } else {
    out('skipped: ansible-playbook is not installed (Debian: ansible-core, ansible-mitogen)\n');
  }
  const wanted = options.tools?.split(',');
  return list.filter(({ name }) => wanted === undefined || wanted.includes(name));
}

function large(): string {
  return join(dir, 'large');
}

/** Directory of the files for the hosts, which share the files of this machine. */
function files(): string {
  return join(dir, 'files');
}

function jobs(hosts: SshdHosts): [string, Job][] {
  const empty = (): void => {
    rmSync(files(), { recursive: true, force: true });
    for (const { name } of hosts.hosts) mkdirSync(join(files(), name), { recursive: true });
  };
  const keep = (): void => undefined;
  const w2 = {
    playbook: (dialect: Dialect) => realistic(dialect, files()),
    shell: (host: string) => realisticShell(files(), host),
  };
  const w4 = {
    playbook: (dialect: Dialect) => largeFile(dialect, large(), files()),
    shell: undefined,
  };
  const all: [string, Job][] = [
    ['W1 30 commands', { playbook: commandsOnly, shell: commandsOnlyShell, prepare: keep }],
    ['W2 first', { ...w2, prepare: empty }],
    ['W2 again', { ...w2, prepare: keep }],
    ['W4 cold', { ...w4, prepare: empty }],
    ['W4 same', { ...w4, prepare: keep }],
  ];
  return all.filter(([name]) => options.work.split(',').includes(name.split(' ')[0] ?? ''));
}

/** Runs commands in parallel. CPU seconds include only processes of the controller, because servers are not its children. */
async function measure(
  commands: string[][],
  env: Record<string, string>,
  hosts: { knownHosts: string },
): Promise<Measure> {
  const results = await Promise.all(
    commands.map((command, index) =>
      measureOne(command, env, hosts, join(dir, `log-${String(index)}`)),
    ),
  );
  return {
    wall: Math.max(...results.map(({ wall }) => wall)),
    cpu: results.reduce((sum, { cpu }) => sum + cpu, 0),
    memory: results.reduce((sum, { memory }) => sum + memory, 0),
  };
}

function measureOne(
  argv: string[],
  env: Record<string, string>,
  { knownHosts }: { knownHosts: string },
  log: string,
): Promise<Measure> {
  // The inner shell is replaced by the command, so that its process id is known.
  const script =
    'TIMEFORMAT="%R %U %S"; time bash -c \'echo $$ >"$0.pid"; exec "$@" >"$0" 2>&1\' "$0" "$@"';
  const child = spawn('bash', ['-c', script, log, ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ...env,
      XDG_STATE_HOME: join(dir, 'state'),
      HOME: dir,
      ANSIBLE_HOST_KEY_CHECKING: 'True',
      ANSIBLE_SSH_ARGS: `-o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${knownHosts}`,
    },
  });
  let memory = 0;
  const watch = setInterval(() => {
    try {
      const pid = readFileSync(`${log}.pid`, 'utf8').trim();
      const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      memory = Math.max(memory, Number(peak ?? 0) / 1024);
    } catch {
      // Not started yet, or ended.
    }
  }, 50);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      clearInterval(watch);
      const [wall = NaN, user = NaN, system = NaN] = (said.trim().split('\n').at(-1) ?? '')
        .split(' ')
        .map(Number);
      if (code === 0) resolve({ wall, cpu: user + system, memory });
      else {
        const words = readFileSync(log, 'utf8').slice(-2000);
        reject(
          new Error(
            `${argv.slice(0, 3).join(' ')} failed with exit code ${String(code)}:\n${words}`,
          ),
        );
      }
    });
  });
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

function report(
  cells: [string, number, number],
  tool: string,
  result: Measure,
  base: Measure,
): void {
  const [work, count, rtt] = cells;
  const columns = [
    work.padEnd(15),
    String(count).padStart(5),
    String(rtt).padStart(4),
    tool.padEnd(11),
    result.wall.toFixed(2).padStart(8),
    `${(result.wall / base.wall).toFixed(2)}x`.padStart(8),
    result.cpu.toFixed(2).padStart(8),
    `${(result.cpu / base.cpu).toFixed(2)}x`.padStart(8),
    result.memory.toFixed(0).padStart(7),
  ];
  out(`${columns.join('  ')}\n`);
}

async function compare(tools: Tool[], count: number, rtt: number): Promise<void> {
  const directory = mkdtempSync(join(dir, 'hosts-'));
  const hosts = await SshdHosts.start(directory, count, rtt);
  const stop = (): void => {
    hosts.stop();
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    for (const [work, job] of jobs(hosts)) {
      const able = tools.filter(({ mostHosts }) => count <= mostHosts);
      const all = new Map<Tool, Measure[]>(able.map((tool) => [tool, []]));
      // The tools take turns, so that other load on the machine affects all of them equally.
      for (let run = 0; run < runs; run++) {
        for (const [tool, measures] of all) {
          job.prepare();
          const commands = tool.command(job, hosts);
          if (!commands) continue;
          // Only a run after a first run of the same tool measures an unchanged host.
          if (work.endsWith('again') && run === 0) await measure(commands, tool.env, hosts);
          measures.push(await measure(commands, tool.env, hosts));
        }
      }
      let base: Measure | undefined;
      for (const [tool, measures] of all) {
        if (measures.length === 0) continue;
        const result = {
          wall: median(measures.map(({ wall }) => wall)),
          cpu: median(measures.map(({ cpu }) => cpu)),
          memory: median(measures.map(({ memory }) => memory)),
        };
        base ??= result;
        report([work, count, rtt], tool.name, result, base);
      }
    }
  } finally {
    hosts.stop();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Many hosts in the embedded lab: measures the memory of the controller, not its speed, because the lab uses the same CPU. */
async function embedded(count: number): Promise<void> {
  const lab = await Lab.start(Array.from({ length: count }, (_, index) => `e${String(index + 1)}`));
  try {
    const lines = lab.hosts.map(
      ({ name, address, port }) =>
        `    ${name}: { ansible_host: ${address}, ansible_port: ${String(port)}, ansible_user: root, ansible_ssh_private_key_file: ${lab.files.key} }`,
    );
    const inventory = join(dir, 'embedded.yml');
    writeFileSync(inventory, `all:\n  hosts:\n${lines.join('\n')}\n`);
    const playbook = join(dir, 'embedded-playbook.yml');
    writeFileSync(playbook, commandsOnly('runner'));
    const command = runnerCommand(playbook, inventory, lab.files.knownHosts);
    const result = await measure([command], {}, lab.files);
    report(['W1 embedded', count, 0], 'runner', result, result);
  } finally {
    await lab.stop();
  }
}

const numbers = (text: string): number[] => text.split(',').map(Number);
try {
  out(`${String(cpus().length)} cores, Node ${process.version}, median of ${String(runs)}\n`);
  out('work             hosts   rtt  tool          wall s     wall     cpu s       cpu       MB\n');
  if (options.undo !== undefined) {
    for (const count of numbers(options.undo)) out(await journalCost(dir, count));
    for (const rtt of numbers(options.rtt))
      for (const count of numbers(options.undo)) out(await rollbackTime(dir, count, rtt));
  } else if (options.embedded === undefined) {
    if (options.work.includes('W4'))
      execFileSync('sh', ['-c', `head -c ${String(LARGE_MB)}M /dev/urandom >'${large()}'`]);
    const tools = await createTools();
    for (const rtt of numbers(options.rtt)) {
      for (const count of numbers(options.hosts)) await compare(tools, count, rtt);
    }
  } else {
    for (const count of numbers(options.embedded)) await embedded(count);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
