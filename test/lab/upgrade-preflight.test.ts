import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LAB_ADMIN } from '../../src/lab/mke3-answers.ts';
import { readJournal } from '../../src/journal/journal-file.ts';
import { labTree } from '../../src/lab/tree.ts';
import type { PreflightReport } from '../../src/mke/findings/report.ts';
import { findingsIn, UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 1, workers: 1 });
});
afterEach(() => bench.stop());

/** Runs without consent for the point of no return and without a terminal. */
const preflight = (...more: string[]) =>
  bench.cli.run([
    ...['play', 'upgrade.yml', ...bench.inputs(), '--tags', 'preflight', '--output', 'json'],
    ...more,
  ]);

const addressOf = (name: string) => bench.cluster.lab.host(name).address;

/** Records of changes, and of steps before the first change, in the journal of the newest run. */
function changesOnRecord(): string[] {
  const runs = join(bench.cli.stateDir, 'runs');
  const newest = readdirSync(runs).sort().at(-1) ?? '';
  const { records } = readJournal(join(runs, newest, 'journal'));
  const kinds = ['intent', 'lock', 'fingerprint'];
  return records.map(({ t }) => t).filter((t) => kinds.includes(t));
}

describe('"--tags preflight"', () => {
  it('runs only the checks, changes nothing, and exits with 0 if nothing blocks', async () => {
    const before = labTree(bench.cluster.lab);
    const results = join(bench.cli.dir, 'new', 'results');
    const { code, events, stdout, stderr } = await preflight('--output-dir', results);
    expect(code, stdout).toBe(0);
    expect(stderr).toBe('');
    expect(findingsIn(events)).toMatch(/^Pre-upgrade checks: nothing blocks the upgrade/);
    expect(labTree(bench.cluster.lab)).toEqual(before);
    expect(changesOnRecord()).toEqual([]);
    const plays = events.flatMap((event) => (event.type === 'play-start' ? [event.play] : []));
    expect(plays).toEqual([
      'Pre-upgrade checks: check the hosts',
      'Pre-upgrade checks: check the cluster',
    ]);
    expect(readdirSync(results).sort()).toEqual([
      ...['compatibility.txt', 'mke3.toml', 'mke4.yaml', 'preChecks.txt', 'preflight.json'],
      'preflight.md',
    ]);
    for (const file of readdirSync(results))
      expect(statSync(join(results, file)).mode & 0o777).toBe(0o600);
    // A second run overwrites the results.
    expect((await preflight('--output-dir', results)).code).toBe(0);
  });

  it('exits with 2 if a finding blocks, until it is acknowledged', async () => {
    const { shared } = bench.cluster.lab.files;
    writeFileSync(join(shared, 'swarm/services/shop'), '');
    const results = join(bench.cli.dir, 'results');
    const blocked = await preflight('--output-dir', results);
    expect(blocked.code, blocked.stdout).toBe(2);
    expect(changesOnRecord()).toEqual([]);
    const read = () =>
      JSON.parse(readFileSync(join(results, 'preflight.json'), 'utf8')) as PreflightReport;
    expect(read().findings[0]).toMatchObject({ id: 'swarm_services', object: 'service shop' });
    expect(readFileSync(join(results, 'preflight.md'), 'utf8')).toContain('object: "service shop"');

    const accept = bench.accept(['swarm_services', 'service shop'], ['space', 'host nowhere']);
    const accepted = await preflight('--output-dir', results, ...accept);
    expect(accepted.code, accepted.stdout).toBe(0);
    expect(findingsIn(accepted.events)).toContain('Acknowledged until 9999-12-31: part of the lab');
    expect(read()).toMatchObject({
      counts: { blocking: 0, acknowledged: 1 },
      notes: ['The acknowledgement of space on host nowhere does not match a finding.'],
    });

    const old = bench.cli.file(
      'old.yaml',
      '- { id: swarm_services, object: service shop, reason: it moves, until: 2020-01-31 }\n',
    );
    const expired = await preflight('--acknowledge', old);
    expect(expired.code).toBe(2);
    expect(findingsIn(expired.events)).toContain(
      'Note: The acknowledgement of swarm_services on service shop expired on 2020-01-31 and is ignored.',
    );
  });

  it('reports an unreachable host as a finding', async () => {
    const { hosts } = bench.cluster.lab.files;
    const worker = addressOf('worker1');
    const away = bench.cli.file(
      'hosts.yaml',
      readFileSync(hosts, 'utf8').replace(worker, '127.255.255.254'),
    );
    const { code, events } = await preflight('--hosts-path', away, '--connect-timeout', '2');
    expect(code).toBe(2);
    const found = findingsIn(events);
    expect(found).toMatch(
      /yes check_not_made host 127\.255\.255\.254, all checks No check could run on the host\. .* Remedy: runner doctor -i /,
    );
    expect(found).toMatch(/yes check_not_made cluster, all checks .*Not read: 127\.255\.255\.254/);
    expect(changesOnRecord()).toEqual([]);
    const accept = bench.accept(
      ['check_not_made', 'host 127.255.255.254, all checks'],
      ['check_not_made', 'cluster, all checks'],
    );
    const words = ['--hosts-path', away, '--connect-timeout', '2', ...accept];
    const accepted = await preflight(...words);
    expect(findingsIn(accepted.events)).toMatch(/^Pre-upgrade checks: nothing blocks/);
    expect(accepted.code).toBe(2);
    expect(accepted.stdout).toContain('no acknowledgement replaces them');
  });

  it('reports a check that fails itself with the id check_not_made', async () => {
    const own = bench.cli.file(
      'raid-state.yml',
      `- { name: Read the RAID, command: { argv: [no-such-program], read_only: true } }\n`,
    );
    const checks = `host_checks:=${JSON.stringify(['swarm', 'address', 'keys', own.replace(/\.yml$/, '')])}`;
    const { code, events } = await preflight('--extra-vars', checks);
    expect(code).toBe(2);
    expect(findingsIn(events)).toContain(
      `yes check_not_made host ${addressOf('worker1')}, check raid-state The check could not run, so its result is unknown. "Read the RAID" failed`,
    );
    // An acknowledgement of the check itself does not apply to it.
    const accept = bench.accept(
      ['raid_state', `host ${addressOf('worker1')}`],
      ['raid_state', `host ${addressOf('manager1')}`],
    );
    expect((await preflight('--extra-vars', checks, ...accept)).code).toBe(2);
  });

  it('neither renders text from hosts as templates nor prints its control characters', async () => {
    const { dir } = bench.cluster.lab.host('worker1').root;
    const version = '{{env HOME}} \u001b[31m `|` <b>';
    writeFileSync(join(dir, 'etc/os-release'), `ID=ubuntu\nVERSION_ID='${version}'\n`);
    const results = join(bench.cli.dir, 'results');
    const { code, events } = await preflight('--output-dir', results);
    expect(code).toBe(2);
    expect(findingsIn(events)).toContain(String.raw`The host runs ubuntu {{env HOME}} \x1b[31m `);
    const texts = ['preChecks.txt', 'preflight.json', 'preflight.md'].map((file) =>
      readFileSync(join(results, file), 'utf8'),
    );
    for (const text of texts) expect(text).not.toContain('\u001b');
    expect(texts[2]).toContain(String.raw`\`\|\` &lt;b&gt;`);
  });

  it('prints JSON or Markdown on request, also in the plan', async () => {
    const words = ['plan', 'upgrade.yml', ...bench.inputs(), '--tags', 'preflight'];
    const json = await bench.cli.run([...words, '--report-format', 'json']);
    expect(json.code, json.stdout).toBe(0);
    expect(json.stdout).toContain('"version": 1,');
    const markdown = await preflight('--report-format', 'markdown');
    const texts = markdown.events.flatMap((event) =>
      event.type === 'document' && event.title === 'Pre-upgrade checks' ? [event.text] : [],
    );
    expect(texts.join('')).toMatch(/^# Pre-upgrade checks\n/);
    const wrong = await preflight('--report-format', 'html');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('--report-format');
  });

  it('refuses an output directory with results of an upgrade, or that is not writable', async () => {
    const results = join(bench.cli.dir, 'results');
    mkdirSync(results);
    writeFileSync(join(results, 'summary.txt'), '');
    const used = await preflight('--output-dir', results);
    expect(used.code).toBe(2);
    expect(used.stdout).toContain('already has the results of an upgrade');
    expect(existsSync(join(results, 'preflight.json'))).toBe(false);
    const blocked = await preflight('--output-dir', join(results, 'summary.txt', 'below'));
    expect(blocked.code).toBe(2);
    expect(blocked.stdout).toContain('cannot be written: not a directory');
  });

  it('does not require consent, unlike the whole upgrade', async () => {
    const whole = await bench.cli.run(['play', 'upgrade.yml', ...bench.inputs()]);
    expect(whole.code).toBe(1);
    expect(whole.stderr).toContain('--accept-irreversible remove-mke3');
    const checks = await preflight('--mke3-admin-username', 'nobody');
    // The login fails, and the checks report it.
    expect(checks.code).toBe(2);
    expect(findingsIn(checks.events)).toMatch(
      /check_not_made cluster, all checks .*rejected the login/,
    );
    expect(checks.stdout).not.toContain(LAB_ADMIN.password);
  });
});
