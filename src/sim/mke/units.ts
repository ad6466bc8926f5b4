import type { CommandOutput } from '../../core/fact.ts';
import { answer } from '../model-host.ts';
import type { MkeNode } from './cluster.ts';
import { startK0s, stopK0s } from './k0s-service.ts';
import { Refusal, refuse, unknown } from './refusal.ts';

export const UNITS = '/etc/systemd/system';

export function isActive({ host }: MkeNode, unit: string): boolean {
  return host.services.get(unit)?.active === true;
}

export function setUnit(
  { host: { services } }: MkeNode,
  unit: string,
  change: { active?: boolean; enabled?: boolean },
): void {
  const { active = false, enabled = false } = services.get(unit) ?? {};
  const now = { active: change.active ?? active, enabled: change.enabled ?? enabled };
  // systemd unloads a unit without a file, process or link.
  services.delete(unit);
  if (now.active || now.enabled) services.set(unit, { ...now, loaded: '' });
}

/**
 * The systemctl program. Units are files in /etc/systemd/system; only the program of k0s units is
 * run.
 */
export function systemctl(node: MkeNode, words: readonly string[]): CommandOutput {
  const names: string[] = [];
  let [verb, properties] = ['', ''];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (['--no-page', '--no-pager', '--quiet', '-q', '--'].includes(word)) continue;
    if (word === '-p') properties = words[++index] ?? '';
    else if (word.startsWith('--property=')) properties = word.slice('--property='.length);
    else if (word.startsWith('-')) unknown('systemctl', words);
    else if (verb === '') verb = word;
    else names.push(fullName(word));
  }
  if (verb === 'daemon-reload') return answer(0);
  if (verb === 'is-active') {
    const said = names.map((unit) => stateOf(node, unit));
    return answer(said.includes('active') ? 0 : 3, said.map((state) => `${state}\n`).join(''));
  }
  const one = verbs[verb] ?? unknown('systemctl', words);
  return answer(0, names.map((unit) => one(node, unit, properties)).join(''));
}

function fullName(word: string): string {
  return /\.(service|socket|target|timer)$/.test(word) ? word : `${word}.service`;
}

function stateOf(node: MkeNode, unit: string): string {
  if (isActive(node, unit)) return 'active';
  return node.broken.has(unit) ? 'activating' : 'inactive';
}

const verbs: Record<string, (node: MkeNode, unit: string, properties: string) => string> = {
  show,
  start: (node, unit) => start(node, unit, 'start'),
  restart: (node, unit) => start(node, unit, 'restart'),
  stop: (node, unit) => {
    need(node, unit, 'stop');
    if (isK0s(unit)) stopK0s(node, unit);
    node.broken.delete(unit);
    node.starts.delete(unit);
    setUnit(node, unit, { active: false });
    return '';
  },
  enable: (node, unit) => {
    need(node, unit, 'enable');
    setUnit(node, unit, { enabled: true });
    return '';
  },
  disable: (node, unit) => {
    need(node, unit, 'disable');
    setUnit(node, unit, { enabled: false });
    return '';
  },
  'is-enabled': (node, unit) =>
    node.host.services.get(unit)?.enabled === true ? 'enabled\n' : refuse('disabled'),
};

function isK0s(unit: string): boolean {
  return unit === 'k0scontroller.service' || unit === 'k0sworker.service';
}

function need({ host }: MkeNode, unit: string, verb: string): void {
  if (!host.tree.get(`${UNITS}/${unit}`))
    refuse(`Failed to ${verb} ${unit}: Unit ${unit} not found.`, 5);
}

function start(node: MkeNode, unit: string, verb: 'start' | 'restart'): string {
  need(node, unit, verb);
  const service = unit.replace(/\.socket$/, '.service');
  if (unit !== service && !isActive(node, unit) && isActive(node, service))
    refuse('Job failed. See "journalctl -xe" for details.');
  node.broken.delete(unit);
  // Starting a unit of the type "simple" succeeds before its program has done anything.
  if (isK0s(unit)) {
    try {
      startK0s(node, unit);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      node.broken.set(unit, { said: error.message, restarts: 0 });
      setUnit(node, unit, { active: false });
      return '';
    }
  }
  if (verb === 'restart' || !isActive(node, unit)) node.starts.set(unit, ++node.cluster.serial);
  setUnit(node, unit, { active: true });
  return '';
}

function show(node: MkeNode, unit: string, properties: string): string {
  const { tree, services } = node.host;
  const broken = node.broken.get(unit);
  const isThere = tree.get(`${UNITS}/${unit}`) !== undefined;
  const state = stateOf(node, unit);
  const fields = {
    Result: broken ? 'exit-code' : 'success',
    ExecMainStatus: broken ? 1 : 0,
    LoadState: isThere ? 'loaded' : 'not-found',
    ActiveState: state,
    SubState: { active: 'running', activating: 'auto-restart' }[state] ?? 'dead',
    UnitFileState: !isThere ? '' : services.get(unit)?.enabled === true ? 'enabled' : 'disabled',
    NRestarts: broken?.restarts ?? 0,
    // A unit that was not started explicitly has the InvocationID from the boot.
    InvocationID: state === 'active' ? String(node.starts.get(unit) ?? 0).padStart(32, '0') : '',
  };
  const wanted = properties.split(',');
  // Time passes between two queries: systemd restarts the unit.
  if (broken) {
    start(node, unit, 'start');
    const again = node.broken.get(unit);
    if (again) again.restarts = broken.restarts + 1;
  }
  return Object.entries(fields)
    .filter(([key]) => wanted.includes(key))
    .map(([key, value]) => `${key}=${String(value)}\n`)
    .join('');
}
