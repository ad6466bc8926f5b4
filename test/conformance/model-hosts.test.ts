import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { PORT_STATE } from '../../src/facts/ports.ts';
import { Chance } from '../../src/sim/chance.ts';
import { ModelNetwork } from '../../src/sim/hosts.ts';
import { UpgradeRun, type UpgradeSetup } from '../../src/sim/mke/upgrade.ts';
import { HostConnections } from '../../src/transport/connections.ts';
import { modelSetup } from '../helpers/model-upgrade.ts';
import { recording, type Exchanges } from '../helpers/recorded-exchanges.ts';
import { UpgradeBench } from '../helpers/upgrade.ts';

const LAST_STEP =
  'migrate-worker-nodes-to-k0s-release-the-hold-on-eviction/release-the-hold-on-eviction/restart-the-controller';

let bench: UpgradeBench;
let setup: UpgradeSetup;
beforeAll(async () => {
  bench = await UpgradeBench.start();
  setup = setupOf(bench);
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => bench.stop());

/** The setup that models the hosts of the lab. */
function setupOf({ cluster }: UpgradeBench): UpgradeSetup {
  const { hosts, files } = cluster.lab;
  const leader = hosts[0]?.root.dir ?? '';
  const volume = 'var/lib/docker/volumes/ucp-controller-server-certs/_data';
  return {
    ...modelSetup(),
    hosts: hosts.map(({ name: hostname, address, root: { dir: machine } }) => {
      return { hostname, address, machine };
    }),
    certificate: readFileSync(join(leader, volume, 'ca.pem'), 'utf8'),
    dns: readFileSync(join(files.shared, 'dns'), 'utf8').trim(),
    api: cluster.api.address,
    inputs: { host_checks: JSON.parse(cluster.hostChecks.replace(/^\w+:=/, '')) as string[] },
  };
}

async function playedInLab(
  extra: string[],
): Promise<{ exchanges: Exchanges; code: number | null }> {
  const exchanges: Exchanges = new Map();
  const session = Reflect.get(HostConnections.prototype, 'session');
  vi.spyOn(HostConnections.prototype, 'session').mockImplementation(function (
    this: HostConnections,
    ...login
  ) {
    return recording((...to) => session.apply(this, to), exchanges)(...login);
  });
  await bench.cluster.lab.restore();
  const { code } = await bench.upgrade(extra);
  return { exchanges, code };
}

async function playedOnModels(failAt: string | undefined): Promise<Exchanges> {
  const exchanges: Exchanges = new Map();
  const connections = Reflect.get(ModelNetwork.prototype, 'connections');
  vi.spyOn(ModelNetwork.prototype, 'connections').mockImplementation(function (
    this: ModelNetwork,
    ...run
  ) {
    const real = connections.apply(this, run);
    return { ...real, session: recording((...to) => real.session(...to), exchanges) };
  });
  await new UpgradeRun(setup, new Chance(1)).process('play', { settings: { failAt } });
  return exchanges;
}

/** Differences to ignore: times, random IDs and checksums, and values of the kernel of this machine. */
const variable: [RegExp, string][] = [
  [/^(ask rn_tree_sum .*-> 0) "[0-9a-f]{64}.*/s, '$1 SUM'],
  [/^(ask for path in .*-> 0) .*/s, '$1 SPACE'],
  [/^(ask rn_file_state .*"directory\|[^"]*\|)\d+\|\d+\\n/, '$1…'],
  [/^(ask rn_file_state .*mke3-backup\.tar.*"file\|[^"]*\|)\d+\|\d+\\n\w+/s, '$1…'],
  [/^(ask rn_file_state .*"(?:file|link)\|[^"]*\|\d+\|)\d+\\n/, '$1TIME\\n'],
  [/^(ask rn_file_state .*[0-9a-f]{64}) {2}[^"]*"$/s, '$1'],
  [/(\/controller\/).*backups\/[^/]+\//, '$1backups/'],
  [/InvocationID=\w+/, 'InvocationID=ID'],
  [/\\"hash\\":\d+/, 'HASH'],
  [/token: lab-\d+/, 'token: lab-SUM'],
  [/^(do exec \["date","\+%s"\] -> 0) .*/, '$1 TIME'],
  [/^(do exec .*"token","create".*-> 0) .*/, '$1 TOKEN'],
  [/"token","invalidate","\w+"\] -> 0 "token \w+ /, 'INVALIDATE '],
];

function normal(line: string, home: string): string {
  const short = line.replaceAll(PORT_STATE, 'PORT_STATE').replaceAll(home, '/controller');
  const said = variable.reduce((text, [pattern, by]) => text.replace(pattern, by), short);
  // Ports are tried in parallel; links, routes and settings come from the kernel of this machine.
  const [, ports] = /^ask \( PORT_STATE.* -> 0 "(.*)"$/s.exec(said) ?? [];
  if (ports !== undefined) return said.replace(ports, ports.split('\\n').sort().join('\\n'));
  return said.includes('stock() {')
    ? said.replaceAll(/(link|route|sysctl|chain) [^"\n]*?\\n/g, '')
    : said;
}

/** Commands of the fingerprint, which run in parallel. */
const fingerprints =
  /^do exec \["\/bin\/sh","-c","(docker (ps|exec)|find |systemctl is-active)|\.Spec\.Labels|"10s","member","list"\]/;

/** The node of a command. Delegated commands for several nodes arrive in any order, so they are compared per node. */
function subjectOf(host: string, line: string): string {
  const [command = ''] = line.split(' -> ');
  if (fingerprints.test(command)) return `${host} ${command}`;
  const names = new Set(command.match(/\b(manager|worker)\d\b/g));
  return names.size === 1 ? `${host} about ${[...names].join()}` : host;
}

function compared(exchanges: Exchanges): Record<string, string[]> {
  const said: Record<string, string[]> = {};
  for (const [host, lines] of exchanges)
    for (const line of lines)
      (said[subjectOf(host, line)] ??= []).push(normal(line, bench.cli.dir));
  return said;
}

/** The first difference on each host. */
function differences(models: Record<string, string[]>, lab: Record<string, string[]>): string[] {
  return [...new Set([...Object.keys(lab), ...Object.keys(models)])].sort().flatMap((host) => {
    const [asModel, asLab] = [models[host] ?? [], lab[host] ?? []];
    const at = Array.from({ length: Math.max(asModel.length, asLab.length) }).findIndex(
      (_, index) => asModel[index] !== asLab[index],
    );
    return at === -1
      ? []
      : [`${host}: model: ${String(asModel[at])}`, `${host}: lab: ${String(asLab[at])}`];
  });
}

describe('model hosts answer like the hosts of the lab', () => {
  it.each([
    ['in an upgrade that is rolled back', LAST_STEP, 3],
    ['in an upgrade', undefined, 0],
  ])('%s', async (_, failAt, exitCode) => {
    const lab = await playedInLab(failAt === undefined ? [] : ['--fail-at', failAt]);
    vi.restoreAllMocks();
    expect(lab.code).toBe(exitCode);
    const models = compared(await playedOnModels(failAt));
    expect(differences(models, compared(lab.exchanges))).toEqual([]);
    expect(Object.values(models).flat().length).toBeGreaterThan(700);
  });
});
