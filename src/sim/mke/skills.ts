import { createHash } from 'node:crypto';
import type { CommandOutput } from '../../core/fact.ts';
import type { FileTree } from '../file-tree.ts';
import { answer, type Call, type ModelHost, type Skills } from '../model-host.ts';
import type { MkeNode } from './cluster.ts';
import { docker } from './docker.ts';
import { gate } from './gates.ts';
import { k0s } from './k0s.ts';
import { DATA } from './k0s-service.ts';
import { getent } from './network.ts';
import { question, stockOf } from './questions.ts';
import { Refusal, refuse, unknown } from './refusal.ts';
import { pipeline, wordsOf } from './shell-words.ts';
import { setUnit, systemctl, UNITS } from './units.ts';

type Program = (node: MkeNode, words: readonly string[], stdin: string) => string | CommandOutput;

/** Programs of a cluster node. */
export class MkeSkills implements Skills {
  readonly #node: MkeNode;
  readonly bring: (path: string, content: Buffer) => void;

  constructor(node: MkeNode, bring: (path: string, content: Buffer) => void) {
    this.#node = node;
    this.bring = bring;
  }

  run(_host: ModelHost, argv: readonly string[], { stdin }: Pick<Call, 'stdin'>): CommandOutput {
    return runProgram(this.#node, argv, stdin);
  }

  answer(_host: ModelHost, script: string): CommandOutput | undefined {
    const simple = wordsOf(script);
    const run = (argv: readonly string[]) => runProgram(this.#node, argv, '');
    return simple ? run(simple) : question(this.#node, script, run);
  }
}

function runProgram(node: MkeNode, argv: readonly string[], stdin: string): CommandOutput {
  const [name = '', ...words] = argv;
  const program = programs[name] ?? unknown(name, words);
  try {
    const said = program(node, words, stdin);
    return typeof said === 'string' ? answer(0, said) : said;
  } catch (error) {
    if (error instanceof Refusal) return answer(error.code, '', `${error.message}\n`);
    throw error;
  }
}

const programs: Record<string, Program> = {
  docker,
  systemctl,
  '/usr/local/bin/k0s': k0s,
  '/bin/sh': shell,
  hostname: ({ hostname }) => `${hostname}\n`,
  uname: (_, [flag = '']) => (flag === '-m' ? 'x86_64\n' : unknown('uname', [flag])),
  date: ({ cluster }, [format = '']) =>
    format === '+%s' ? `${String(Math.floor(cluster.now() / 1000))}\n` : unknown('date', [format]),
  getent: (_, words) => getent(words),
  timeout: (node, [, ...words], stdin) => runProgram(node, words, stdin),
  mv: ({ host: { tree } }, [from = '', to = '']) => {
    if (!tree.get(from)) refuse(`mv: cannot stat '${from}': No such file or directory`);
    tree.paste(to, tree.copyOf(from));
    tree.remove(from);
    return '';
  },
  od: ({ host: { tree } }, words) => {
    if (words.slice(0, 5).join(' ') !== '-A n -t x1 -N') unknown('od', words);
    const [count, path = ''] = words.slice(5);
    const bytes = tree.get(path)?.content ?? refuse(`od: ${path}: No such file or directory`);
    const shown = [...bytes.subarray(0, Number(count))].map((byte) =>
      byte.toString(16).padStart(2, '0'),
    );
    return (
      shown.map((byte, index) => `${index % 16 === 0 && index > 0 ? '\n' : ''} ${byte}`).join('') +
      '\n'
    );
  },
  find: ({ host: { tree } }, words) => {
    const end = words.indexOf('-type');
    if (words.slice(end).join(' ') !== '-type f -exec sha256sum {} +') unknown('find', words);
    return words
      .slice(0, end)
      .flatMap((place) => filesBelow(tree, place))
      .map((path) => `${sumAt(tree, path)}  ${path}\n`)
      .join('');
  },
  xargs: (node, [flag = '', ...words], stdin) => {
    if (flag !== '-r') unknown('xargs', [flag]);
    const more = lines(stdin);
    return more.length === 0 ? '' : runProgram(node, [...words, ...more], '');
  },
  grep: (_, words, stdin) => {
    const [flag = '', pattern = ''] = words.length === 1 ? ['', ...words] : words;
    if (words.length > 2 || !['', '-vE'].includes(flag)) unknown('grep', words);
    const fits = new RegExp(pattern);
    const kept = lines(stdin).filter((line) => fits.test(line) !== (flag === '-vE'));
    return answer(kept.length > 0 ? 0 : 1, kept.map((line) => `${line}\n`).join(''));
  },
  sort: (_, words, stdin) => {
    if (!['', '-k 2'].includes(words.join(' '))) unknown('sort', words);
    const key = (line: string) => (words.length === 0 ? line : line.slice(line.indexOf(' ')));
    const sorted = lines(stdin).sort((one, other) => (key(one) < key(other) ? -1 : 1));
    return sorted.map((line) => `${line}\n`).join('');
  },
};

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function filesBelow(tree: FileTree, place: string): string[] {
  return tree.below(place).filter((path) => tree.get(path)?.type === 'file');
}

function sumAt(tree: FileTree, path: string): string {
  const content = tree.get(path)?.content ?? '';
  return createHash('sha256').update(content).digest('hex');
}

/** Scripts of roles (verbatim), with the output of a lab host. */
const scripts: Record<string, string> = {
  '. /etc/os-release && echo "$ID $VERSION_ID"': 'ubuntu 22.04\n',
  "awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo": '24105\n',
  "cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null || awk '$4 == 1 { print $1 }' /proc/cgroups":
    'cpuset\ncpu\ncpuacct\nblkio\nmemory\ndevices\nfreezer\nnet_cls\nperf_event\nnet_prio\nhugetlb\npids\n',
  // Nothing listens on the ports of k0s, which has no network here.
  "command -v ss >/dev/null || exit 0; ss -Hltn | awk '{ print $4 }' | grep -E ':(8132|8133|9443)$' || true":
    '',
};

function shell(node: MkeNode, words: readonly string[], stdin: string): CommandOutput {
  const [flag = '', script = '', name = '', ...args] = words;
  if (flag !== '-c') unknown('/bin/sh', words);
  if (name === 'k0s-reset') return resetK0s(node, args, stdin);
  const known = scripts[script];
  if (known !== undefined) return answer(0, known);
  // The health check of the MKE 3 API on a manager.
  if (script.startsWith('url=https://'))
    return node.containers.get('ucp-controller')?.isRunning
      ? answer(0)
      : answer(7, '', 'curl: (7) Failed to connect\n');
  const run = (argv: readonly string[]) => runProgram(node, argv, '');
  return gate(node, script, run) ?? piped(node, script);
}

/** Runs a pipeline: each command reads the output of the previous one. */
function piped(node: MkeNode, script: string): CommandOutput {
  const [, body = '', always] = /^(.*?)(; true)?$/s.exec(script) ?? [];
  let said = answer(0);
  for (const part of pipeline(body)) {
    const words = wordsOf(part.replace(/ 2>\/dev\/null$/, ''));
    if (!words) return unknown('sh', [script]);
    said = runProgram(node, words, said.stdout);
  }
  return always === undefined ? said : answer(0, said.stdout);
}

/** The effects of the k0s reset script on a host without processes, mounts and kernel. */
function resetK0s(node: MkeNode, [data = '']: readonly string[], before: string): CommandOutput {
  const { tree } = node.host;
  if (data !== DATA) unknown('k0s-reset', [data]);
  for (const unit of ['k0scontroller.service', 'k0sworker.service']) {
    if (!tree.get(`${UNITS}/${unit}`)) continue;
    systemctl(node, ['stop', unit]);
    setUnit(node, unit, { active: false, enabled: false });
    tree.remove(`${UNITS}/${unit}`);
  }
  const cni = ['10-calico.conflist', 'calico-kubeconfig', '10-kuberouter.conflist'];
  for (const path of [data, '/run/k0s', ...cni.map((file) => `/etc/cni/net.d/${file}`)])
    tree.remove(path);
  const had = new Set(lines(before));
  const added = before === '' ? [] : lines(stockOf(node)).filter((line) => !had.has(line));
  for (const line of added.sort().reverse()) tree.remove(line.slice('path '.length));
  return answer(0);
}
