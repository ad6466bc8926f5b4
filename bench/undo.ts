import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DiskFile } from '../src/journal/disk-file.ts';
import { Log } from '../src/journal/log.ts';
import { journalFormat, type IntentRecord, type JournalRecord } from '../src/journal/records.ts';
import { Redactor } from '../src/util/redact.ts';
import { SshdHosts } from './sshd.ts';
import { changing } from './workloads.ts';

const STEPS = 200;

/** The cost of the journal per changing step, by number of hosts: they share one sync. */
export async function journalCost(dir: string, hosts: number): Promise<string> {
  const directory = mkdtempSync(join(dir, 'journal-'));
  const path = join(directory, 'journal');
  const log = Log.create(DiskFile.create(path), new Redactor());
  await log.append(header);
  const began = process.hrtime.bigint();
  let unit = 0;
  for (let step = 1; step <= STEPS; step++) {
    const units = Array.from({ length: hosts }, (_, host) => intent(++unit, step, host));
    await Promise.all(units.map((one) => log.append(one)));
    for (const { unit: number, host } of units) {
      const result = { unit: number, step, host, state: 'changed', durationMs: 12 } as const;
      log.write({ t: 'result', ...result });
      log.write({ t: 'learnt', step, host });
    }
  }
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  await log.close();
  const bytes = statSync(path).size;
  rmSync(directory, { recursive: true });
  const perStep = (ms / STEPS).toFixed(2);
  const perUnit = (bytes / unit).toFixed(0);
  return `journal          ${String(hosts).padStart(5)}  ${perStep} ms per changing step, ${perUnit} bytes per unit\n`;
}

const header: JournalRecord = {
  ...{
    t: 'run',
    format: journalFormat,
    runner: 'bench',
    run: 'bench',
    playbook: 'bench.yml',
    name: 'bench',
    changes: [],
    check: false,
    startedAt: '',
    pid: 0,
    bootId: '',
  },
  ...{ options: {}, inputs: {}, inputDefaults: {}, secrets: [], hosts: [], files: [] },
  inventory: { file: '', vars: {}, groups: {} },
};

/** A changing step as the module `copy` plans it. */
function intent(unit: number, step: number, index: number): IntentRecord {
  const host = `host${String(index)}`;
  const path = `/etc/app/${String(step)}.conf`;
  const args = { content: `key = ${String(step)}\n`, dest: path, mode: '0644' };
  const restore = { path, state: 'file', mode: '0644', owner: 'root', group: 'root', copy: path };
  return {
    t: 'intent',
    unit,
    step,
    host,
    target: host,
    module: 'copy',
    args,
    actions: [`write ${path} mode 0644`],
    become: { enabled: true, user: 'root', method: 'sudo' },
    undo: {
      body: { kind: 'auto', calls: [{ module: 'restore_path', args: restore }] },
      on: ['changed', 'failed', 'unknown'],
      when: [],
      error: 'block',
      captured: {},
    },
  };
}

/** Plays thirty changing steps of which the last fails, and compares the duration of the rollback with that of the run. */
export async function rollbackTime(dir: string, count: number, rtt: number): Promise<string> {
  const directory = mkdtempSync(join(dir, 'undo-'));
  const hosts = await SshdHosts.start(directory, count, rtt);
  try {
    for (const { name } of hosts.hosts)
      mkdirSync(join(directory, 'files', name), { recursive: true });
    const lines = hosts.hosts.map(
      ({ name, address, port }) =>
        `    ${name}: { ansible_host: ${address}, ansible_port: ${String(port)}, ansible_user: ${hosts.user}, ansible_ssh_private_key_file: ${hosts.key} }`,
    );
    const inventory = join(directory, 'inventory.yml');
    writeFileSync(inventory, `all:\n  hosts:\n${lines.join('\n')}\n`);
    const playbook = join(directory, 'playbook.yml');
    writeFileSync(playbook, changing(join(directory, 'files')));
    const program = new URL('../bin/runner.js', import.meta.url).pathname;
    const args = ['play', playbook, '-i', inventory, '--fail-at', 'last', '--output', 'json'];
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
      maxBuffer: 256 * 1024 * 1024,
      env: {
        ...process.env,
        HOME: directory,
        XDG_STATE_HOME: join(directory, 'state'),
        RUNNER_KNOWN_HOSTS: hosts.knownHosts,
      },
    }).catch((error: unknown) => error as { stdout: string });
    const events = stdout
      .split('\n')
      .filter((line) => line.startsWith('{"v":1'))
      .map((line) => JSON.parse(line) as { at: string; type: string; outcome?: string });
    const time = (type: string) =>
      Date.parse(events.find((event) => event.type === type)?.at ?? '') / 1000;
    const outcome = events.at(-1)?.outcome ?? 'no end';
    if (outcome !== 'rolled_back') throw new Error(`The bench was not rolled back: ${outcome}`);
    const forward = time('rollback-start') - time('run-start');
    const back = time('run-end') - time('rollback-start');
    const undone = events.filter(({ type }) => type === 'undo-end').length;
    return `rollback         ${String(count).padStart(5)}  ${String(rtt).padStart(4)}  forward ${forward.toFixed(2)} s, back ${back.toFixed(2)} s (${(back / forward).toFixed(2)}x), ${String(undone)} units\n`;
  } finally {
    hosts.stop();
  }
}
