import type { CommandOutput } from '../../core/fact.ts';
import { hasProgram } from '../../facts/container.ts';
import { fileSystems } from '../../facts/disk.ts';
import { k0sState, k0sStock, STOCK } from '../../facts/k0s.ts';
import { portStates } from '../../facts/ports.ts';
import { answer } from '../model-host.ts';
import { textAt, type MkeNode } from './cluster.ts';
import { DATA, K0S, versionOf } from './k0s-service.ts';
import { portState, routeTo } from './network.ts';
import { unknown } from './refusal.ts';
import { patternOf, WORDS, wordsOf } from './shell-words.ts';
import { isActive, UNITS } from './units.ts';

type Run = (argv: readonly string[]) => CommandOutput;

/** Answers the queries of runner that are more than one command; undefined for another script. */
export function question(node: MkeNode, script: string, run: Run): CommandOutput | undefined {
  if (script === stateScript) return answer(0, stateOfK0s(node));
  if (script === stockScript) return answer(0, stockOf(node));
  const listed = /^rw=\$\((.*)\) && if \[ -n "\$rw" \]; then (.*) \$rw; else echo '\[\]'; fi$/.exec(
    script,
  );
  if (listed) return described(listed[1] ?? '', listed[2] ?? '', run);
  const [program] = wordsOf(programPattern.exec(script)?.groups?.['program'] ?? '') ?? [];
  if (program !== undefined)
    return answer(0, program === 'curl' ? 'yes\n' : unknown('command -v', [program]));
  const paths = wordsOf(disksPattern.exec(script)?.groups?.['paths'] ?? '') ?? [];
  if (paths.length > 0) return answer(0, paths.map(() => ROOMY).join(''));
  if (script.startsWith(portsBegin)) return answer(0, portsSeen(node, script));
  return script.startsWith('if command -v ip >/dev/null; then\n') ? addresses(script) : undefined;
}

const stateScript = k0sState.command(K0S, DATA).script;
const stockScript = k0sStock.command().script;
const programPattern = patternOf(hasProgram.command('program').script, { program: WORDS });
const disksPattern = patternOf(fileSystems.command('paths').script, { paths: WORDS });
const [portsBegin = ''] = portStates.command('5', '1@host').script.split('try 0 ');
/** A file system with enough space for everything. */
const ROOMY =
  '65024\n20737339 4096 16327084 16777216\n/dev/vda         264212084 12551956  82949308      14% /var\n';

function described(list: string, inspect: string, run: Run): CommandOutput {
  const [listWords, inspectWords] = [wordsOf(list), wordsOf(inspect)];
  if (!listWords || !inspectWords) return unknown('sh', [list, inspect]);
  const names = run(listWords);
  if (names.code !== 0) return names;
  const words = names.stdout.split('\n').filter((name) => name !== '');
  return words.length === 0 ? answer(0, '[]\n') : run([...inspectWords, ...words]);
}

function stateOfK0s(node: MkeNode): string {
  const { tree, services } = node.host;
  const lines: string[] = [];
  const units = ['controller', 'worker'].filter((role) => tree.get(`${UNITS}/k0s${role}.service`));
  for (const role of units) {
    const unit = `k0s${role}.service`;
    const state = isActive(node, unit)
      ? 'active'
      : node.broken.has(unit)
        ? 'activating'
        : 'inactive';
    const isEnabled = services.get(unit)?.enabled === true;
    lines.push(`unit ${role} ${state} ${isEnabled ? 'enabled' : 'disabled'}`);
  }
  const held = tree.children(DATA);
  if (held.length > 0) lines.push('data');
  for (const role of units) lines.push(`left ${UNITS}/k0s${role}.service`);
  for (const name of held) {
    const path = `${DATA}/${name}`;
    if (tree.get(path)?.type !== 'directory' || tree.children(path).length > 0)
      lines.push(`left ${path}`);
  }
  if (tree.get('/run/k0s')) lines.push('traces');
  if (textAt(tree, K0S) !== undefined) lines.push(`version ${versionOf(node)}`);
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * Lists only the paths of `stock`. Links, routes, kernel settings and chains need a kernel, which a
 * model host does not have.
 */
export function stockOf({ host: { tree } }: MkeNode): string {
  const asked = /for rw in (.*); do\n {4}if \[ -e/.exec(STOCK)?.[1]?.split(' ') ?? [];
  return asked
    .flatMap((path) => {
      const [, directory = '', begin = ''] = /^(.*)\/([^/]*)\*$/.exec(path) ?? [];
      if (directory === '') return tree.get(path) ? [path] : [];
      const names = tree.children(directory).filter((name) => name.startsWith(begin));
      return names.map((name) => `${directory}/${name}`);
    })
    .map((path) => `path ${path}\n`)
    .join('');
}

function portsSeen(node: MkeNode, script: string): string {
  const tries = [...script.slice(portsBegin.length).matchAll(/^try (\d+) (\S+) (\d+) &$/gm)];
  return tries
    .map(
      ([, index = '', host = '', port = '']) => `${index} ${portState(node, host, Number(port))}\n`,
    )
    .join('');
}

function addresses(script: string): CommandOutput {
  const asked = [...script.matchAll(/^printf '\\n==%s\\n' (.*); \$rw ip -j route get (\S+) 2>/gm)];
  if (asked.length !== script.split('$rw ip').length - 1) unknown('sh', [script]);
  const said = asked.map(
    ([, label = '', address = '']) => `\n==${wordsOf(label)?.[0] ?? ''}\n${routeTo(address)}`,
  );
  return answer(0, said.join(''));
}
