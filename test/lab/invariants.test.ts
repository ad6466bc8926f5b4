// The invariants of undo, one test each. 6, 7, 8 and 13 are checked on every journal of every test: see
// `Cli.dispose` and src/checker.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, truncateSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { readJournal } from '../../src/journal/journal.ts';
import { readRun } from '../../src/journal/recorded-run.ts';
import { labTree } from '../../src/lab/tree.ts';
import { Cli } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { UpgradeBench } from '../helpers/upgrade.ts';

const runOf = (events: readonly RunEvent[]): string =>
  events.find((event) => event.type === 'run-start')?.run ?? '';

describe('1, 2, 3, 4, 5, 12: whatever goes wrong at a step of the shipped upgrade', () => {
  let cli: Cli;
  beforeAll(() => {
    cli = new Cli();
  });
  afterAll(() => {
    cli.dispose();
  });

  const sweep = async (...choice: string[]) => {
    const { code, stdout, stderr } = await cli.run(['test', 'upgrade.yml', '--chaos', ...choice], {
      timeoutMs: 1_200_000,
    });
    expect(stdout + stderr).toMatch(/(\d+) cases: \1 came back, 0 did not\.\n$/);
    expect(code).toBe(0);
  };

  it('all comes back, and behind the point of no return the way forward is open', async () => {
    await sweep('--faults', 'fail,kill-effect');
  }, 1_200_000);

  /** Every eighth step; all of them are swept with `runner test upgrade.yml --chaos`. */
  it('the same for the other faults, at some of the steps', async () => {
    await sweep(
      ...['--steps', '2,10,18,26,34,42,50,58,66'],
      ...['--faults', 'kill-before,kill-after,cut,kill-undo,undo-only'],
    );
  }, 1_200_000);
});

const text = (fails: string) => `
name: Small
inputs:
  token: { type: string, secret: true, default: none, env: THE_TOKEN, description: A secret }
fingerprint:
  - { name: What is there, shell: 'cat /etc/inv-* 2>/dev/null; true' }
plays:
  - name: Small
    hosts: all
    serial: 2
    tasks:
      - { name: One, copy: { content: '{{inventory_hostname}}', dest: /etc/inv-one, mode: '0640' } }
      - name: Each
        shell: 'test "$TOKEN" != "" && echo {{item}} >/etc/inv-{{item}}'
        environment: { TOKEN: '{{token}}' }
        args: { creates: '/etc/inv-{{item}}' }
        loop: [a, b]
        register: each
        undo: [{ name: Remove, file: { path: '/etc/inv-{{item}}', state: absent } }]
      - { name: Two, template: { src: two.hbs, dest: /etc/inv-two }, notify: Read }
      - meta: flush_handlers
      - { name: Three, lineinfile: { path: /etc/inv-two, line: '{{each.results.[1].item}}' } }
${fails}
    handlers:
      - name: Read
        shell: 'cat /etc/inv-two >/etc/read-inv 2>/dev/null || rm -f /etc/read-inv'
`;
const failing = `      - { name: Fails, shell: 'test -e /etc/inv-repaired', undo: none }`;

describe('on small hosts', () => {
  let bench: HostsBench;
  beforeAll(async () => {
    bench = await HostsBench.start(3);
  });
  afterAll(() => bench.stop());
  beforeEach(async () => {
    await bench.reset();
    bench.cli.file('two.hbs', 'two on {{inventory_hostname}}\n');
  });
  const clean = () => {
    for (const { root } of bench.lab.hosts)
      for (const name of readdirSync(join(root.dir, 'etc')))
        if (name.startsWith('inv-') || name === 'read-inv') rmSync(join(root.dir, 'etc', name));
  };

  it('9: no canary secret in journal, logs, host folders or process list', async () => {
    const canary = 'canary-8c1f-XyZ';
    const seen: string[] = [];
    const { code, stdout, stderr, events } = await bench.play(text(failing), [], {
      env: { THE_TOKEN: canary },
      onEvent: () => {
        seen.push(execFileSync('sh', ['-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null; :']).toString());
      },
    });
    expect(code).toBe(3);
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.some((list) => list.includes(canary))).toBe(false);
    expect(stdout + stderr).not.toContain(canary);
    const { run } = { run: runOf(events) };
    for (const folder of [bench.cli.stateDir, join(bench.lab.files.dir, 'hosts')]) {
      const found = execFileSync('sh', ['-c', 'grep -rlF -e "$0" "$1" || :', canary, folder]);
      expect(found.toString(), run).toBe('');
    }
  });

  it('10: a journal cut at any byte can be read, and the run resumed from it', async () => {
    const failed = await bench.play(text(failing), ['--on-failure', 'stop'], {
      env: { THE_TOKEN: 'x1' },
    });
    expect(failed.code).toBe(5);
    const run = runOf(failed.events);
    const path = join(bench.cli.stateDir, 'runs', run, 'journal');
    const whole = readFileSync(path);
    const first = whole.indexOf(0x0a) + 1;
    const scratch = join(bench.cli.dir, 'scratch');
    for (let size = first; size <= whole.length; size += 7) {
      writeFileSync(scratch, whole.subarray(0, size));
      expect(readRun(readJournal(scratch).records).header.run).toBe(run);
    }
    for (const { root } of bench.lab.hosts) writeFileSync(join(root.dir, 'etc/inv-repaired'), '');
    const expected = new Map<string, string | undefined>();
    for (const part of [0.95, 0.7, 0.45, 0.2]) {
      writeFileSync(path, whole);
      truncateSync(path, first + Math.floor((whole.length - first) * part));
      rmSync(join(bench.cli.stateDir, 'runs', run, 'closed'), { force: true });
      const resumed = await bench.cli.run(['resume', run], { env: { THE_TOKEN: 'x1' } });
      expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
      for (const host of ['h1', 'h2', 'h3']) {
        const state = ['one', 'a', 'b', 'two'].map((name) => bench.read(host, `etc/inv-${name}`));
        const known = expected.get(host) ?? state.join('|');
        expected.set(host, known);
        expect(state.join('|')).toBe(known);
      }
    }
    expect(expected.get('h3')).toBe('h3|a\n|b\n|two on h3\nb\n');
    clean();
  });

  it('11: after a rollback and a second run the state is that of a run that never failed', async () => {
    const straight = await bench.play(text(''));
    expect(straight.code, straight.stdout).toBe(0);
    const wanted = labTree(bench.lab);
    clean();
    const before = labTree(bench.lab);
    expect((await bench.play(text(failing))).code).toBe(3);
    expect(labTree(bench.lab)).toEqual(before);
    expect((await bench.play(text(''))).code).toBe(0);
    expect(labTree(bench.lab)).toEqual(wanted);
    clean();
  });

  it('14: a service whose file was restored runs with the restored file', async () => {
    const { dir } = bench.lab.host('h1').root;
    writeFileSync(join(dir, 'etc/inv-two'), 'as before\n');
    const { code, events } = await bench.play(text(failing), ['--limit', 'h1']);
    expect(code).toBe(3);
    const order = events.flatMap((event) =>
      event.type === 'undo-end' && event.state === 'undone' ? [event.step.name] : [],
    );
    expect(order.indexOf('Read')).toBeGreaterThan(order.indexOf('Two'));
    expect(bench.read('h1', 'etc/read-inv')).toBe('as before\n');
    clean();
  });
});

describe('11, for the shipped upgrade', () => {
  it('a run after a rollback ends with the files of a run that never failed', async () => {
    /** Kinds and modes: keys and tokens are made anew each time. */
    const shapes = async (failFirst: boolean): Promise<Record<string, string>> => {
      const bench = await UpgradeBench.start({ managers: 1, workers: 1 });
      try {
        if (failFirst) expect((await bench.upgrade(['--fail-at', 'last'])).code).toBe(3);
        const { code, stdout } = await bench.upgrade();
        expect(code, stdout.slice(-2000)).toBe(0);
        return Object.fromEntries(
          Object.entries(labTree(bench.cluster.lab)).map(([path, state]) => [
            path,
            state.startsWith('file') ? state.split(' ').slice(0, 2).join(' ') : state,
          ]),
        );
      } finally {
        await bench.stop();
      }
    };
    const [straight, second] = await Promise.all([shapes(false), shapes(true)]);
    expect(second).toEqual(straight);
  });
});
