import type { CommandOutput } from '../../core/fact.ts';
import { PORT_STATE } from '../../facts/ports.ts';
import { waitUntil } from '../../modules/lib/gate.ts';
import { answer } from '../model-host.ts';
import type { MkeNode } from './cluster.ts';
import { unknown } from './refusal.ts';
import { patternOf, wordsOf } from './shell-words.ts';
import { portState } from './network.ts';
import { systemctl } from './units.ts';

type Run = (argv: readonly string[]) => CommandOutput;

const LOOK = 'lookHere';
const marks = {
  [LOOK]: '[\\s\\S]*?',
  unitHere: '[A-Za-z0-9@_.:-]+',
  '987001': '\\d+',
  '987002': '\\d+',
  '987003': '\\d+',
};
/** Replaces the numbers, which cannot be names of groups. */
const named = (text: string): string =>
  text
    .replaceAll('987001', 'timeoutHere')
    .replaceAll('987002', 'pauseHere')
    .replaceAll('987003', 'restartsHere');
const groups = Object.fromEntries(
  Object.entries(marks).map(([mark, expression]) => [named(mark), expression]),
);

function gatePattern(unit: { unit?: string; unit_restarts?: number }): RegExp {
  const { actions } = waitUntil(LOOK, { timeout: 987001, sleep: 987002, once: false, ...unit });
  const [action] = actions;
  return patternOf(named(action?.kind === 'exec' ? (action.argv[2] ?? '') : ''), groups);
}

const plainGate = gatePattern({});
const unitGate = gatePattern({ unit: 'unitHere', unit_restarts: 987003 });

/**
 * Answers a script from `waitUntil`; undefined for another script. Since no time passes on a model
 * host, it checks only once.
 */
export function gate(node: MkeNode, script: string, run: Run): CommandOutput | undefined {
  const found = unitGate.exec(script)?.groups ?? plainGate.exec(script)?.groups;
  if (!found) return undefined;
  const { [LOOK]: look = '', unitHere: unit, timeoutHere: timeout = '', restartsHere } = found;
  const most = Number(restartsHere ?? 0) + 1;
  for (let round = 0; ; round++) {
    const said = lookOnce(node, look, run);
    const text = `${said.stdout}${said.stderr}`.replace(/\n+$/, '');
    if (said.code === 0) return answer(0, `${text}\n`);
    const why = unit === undefined ? undefined : brokenUnit(node, unit, Number(restartsHere));
    if (why !== undefined) return answer(1, '', `${why}\n${text}\n`);
    if (unit === undefined || round >= most)
      return answer(1, '', `${text}\n(waited ${timeout} s)\n`);
  }
}

function brokenUnit(node: MkeNode, unit: string, restarts: number): string | undefined {
  const asked = 'ActiveState,SubState,Result,ExecMainStatus,NRestarts';
  const said = node.broken.get(`${unit}.service`)?.said ?? '';
  const shown = systemctl(node, ['show', '-p', asked, unit]).stdout;
  const field = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(shown)?.[1] ?? '';
  const [state, sub] = [field('ActiveState'), field('SubState')];
  const isOver = state === 'failed' || state === 'inactive';
  if (!isOver && !(sub === 'auto-restart' && Number(field('NRestarts')) >= restarts))
    return undefined;
  return `The unit ${unit} is not running: ${state} (${sub}), result ${field('Result')}, exit status ${field('ExecMainStatus')}.\n${said}`;
}

function lookOnce(node: MkeNode, look: string, run: Run): CommandOutput {
  const simple = wordsOf(look.replace(/ --timeout="\$\(.*\)"s$/, ' --timeout=60s'));
  if (simple) return run(simple);
  const nodes = /^\{ rows=\$\((.*)\) && \{ set -- (.*); printf '%s\\n' "\$rows" \| awk /.exec(look);
  if (nodes)
    return nodesAreReady(run(wordsOf(nodes[1] ?? '') ?? []), wordsOf(nodes[2] ?? '') ?? []);
  if (look.startsWith('{ bad=0; ')) return ports(node, look);
  const dns = /^\{ set -- (\S+) (\d+) '[^']*'; .* -v server=(\S+) -v name=(\S+) /s.exec(look);
  if (dns) {
    const [, address = '', port = '', server = '', name = ''] = dns;
    return node.cluster.dns === `${address} ${port}`
      ? answer(0, `${server} resolves ${name}\n`)
      : answer(1, `${server} does not answer\n`);
  }
  return unknown('sh', [look]);
}

function ports(node: MkeNode, look: string): CommandOutput {
  const asked = /\|\| \{ echo 'port (\d+) of (\S+) is (closed|taken|blocked)'; bad=1; \}/g;
  const tries = [...look.matchAll(asked)];
  const known = look.replaceAll(PORT_STATE, '').split('bad=1').length - 1;
  if (tries.length !== known) unknown('sh', [look]);
  const wrong = tries.flatMap(([, port = '', host = '', bad = '']) => {
    const state = portState(node, host, Number(port));
    const isWrong = {
      closed: state !== 'open',
      taken: state === 'open',
      blocked: state === 'blocked',
    };
    return isWrong[bad as keyof typeof isWrong] ? [`port ${port} of ${host} is ${bad}\n`] : [];
  });
  return answer(wrong.length > 0 ? 1 : 0, wrong.join(''));
}

/** Does the same as the awk program in the script. */
function nodesAreReady(
  { code, stdout, stderr }: CommandOutput,
  [names = '', kubelet = '', runtime = '']: readonly string[],
): CommandOutput {
  if (code !== 0) return answer(code, stdout, stderr);
  const wanted = names.split(' ').filter((name) => name !== '');
  const rows = stdout.split('\n').map((line) => line.split('\t'));
  const seen = rows.filter(
    ([name = '']) => name !== '' && (wanted.length === 0 || wanted.includes(name)),
  );
  const wrong = seen.flatMap(([name = '', ready = '', version = '', engine = '']) => {
    if (ready !== 'True') return [`${name}: Ready is ${ready || 'not reported'}`];
    if (kubelet !== '' && version !== kubelet)
      return [`${name}: kubelet ${version} instead of ${kubelet}`];
    if (runtime !== '' && !engine.startsWith(`${runtime}://`))
      return [`${name}: container runtime ${engine} instead of ${runtime}`];
    return [];
  });
  for (const name of wanted)
    if (!seen.some(([one]) => one === name)) wrong.push(`${name}: not registered`);
  if (wanted.length === 0 && seen.length === 0) wrong.push('there are no nodes');
  return wrong.length > 0
    ? answer(1, `${wrong.join('\n')}\n`)
    : answer(0, `${String(seen.length)} nodes are ready\n`);
}
