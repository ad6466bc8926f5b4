// Invariants 9 to 11 and 14 of undo. `Cli.dispose` checks 6, 7, 8 and 13 on every journal of every test; the sweeps
// check 1 to 5 and 12: sweep-sample.test.ts and test/all/sweep-*.test.ts.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readJournal } from '../../src/journal/journal-file.ts';
import { readRun } from '../../src/journal/recorded-run.ts';
import { labTree } from '../../src/lab/tree.ts';
import { runOf } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { UpgradeBench } from '../helpers/upgrade.ts';

const text = (fails: string) => `
name: Small
inputs:
  token: { type: string, secret: true, default: none, env: THE_TOKEN, description: A secret }
fingerprint:
  - { name: List the files, shell: 'cat /etc/inv-* 2>/dev/null; true' }
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

describe('a small run', () => {
  let bench: HostsBench;
  beforeAll(async () => {
    bench = await HostsBench.start(3);
  });
  afterAll(() => bench.stop());
  beforeEach(async () => {
    await bench.reset();
    bench.cli.file('two.hbs', 'two on {{inventory_hostname}}\n');
  });

  it('does not reveal its secret in the journal, output, host files or process list (invariant 9)', async () => {
    const canary = 'canary-8c1f-XyZ';
    const seen: string[] = [];
    const { code, stdout, stderr, events } = await bench.spawn(text(failing), [], {
      env: { THE_TOKEN: canary },
      onEvent: () => {
        seen.push(execFileSync('sh', ['-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null; :']).toString());
      },
    });
    expect(code).toBe(3);
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.some((list) => list.includes(canary))).toBe(false);
    expect(stdout + stderr).not.toContain(canary);
    const run = runOf(events);
    for (const directory of [bench.cli.stateDir, join(bench.lab.files.dir, 'hosts')]) {
      const found = execFileSync('sh', ['-c', 'grep -rlF -e "$0" "$1" || :', canary, directory]);
      expect(found.toString(), run).toBe('');
    }
  });

  it('has a journal that can be read and resumed if it is truncated at any byte (invariant 10)', async () => {
    // In another process, because the run of a live process cannot be resumed.
    const failed = await bench.spawn(text(failing), ['--on-failure', 'stop'], {
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
  });

  it('ends in the same state after a rollback and a second run as without a failure (invariant 11)', async () => {
    const straight = await bench.play(text(''));
    expect(straight.code, straight.stdout).toBe(0);
    const wanted = labTree(bench.lab);
    await bench.reset();
    bench.cli.file('two.hbs', 'two on {{inventory_hostname}}\n');
    const before = labTree(bench.lab);
    expect((await bench.play(text(failing))).code).toBe(3);
    expect(labTree(bench.lab)).toEqual(before);
    expect((await bench.play(text(''))).code).toBe(0);
    expect(labTree(bench.lab)).toEqual(wanted);
  });

  it('runs a handler again after its file was restored (invariant 14)', async () => {
    const { dir } = bench.lab.host('h1').root;
    writeFileSync(join(dir, 'etc/inv-two'), 'as before\n');
    const { code, events } = await bench.play(text(failing), ['--limit', 'h1']);
    expect(code).toBe(3);
    const order = events.flatMap((event) =>
      event.type === 'undo-end' && event.state === 'undone' ? [event.step.name] : [],
    );
    expect(order.indexOf('Read')).toBeGreaterThan(order.indexOf('Two'));
    expect(bench.read('h1', 'etc/read-inv')).toBe('as before\n');
  });
});

describe('the shipped upgrade', () => {
  it('ends with the same files after a rollback and a second run as without a failure (invariant 11)', async () => {
    /** Types and modes of all files. The contents of keys and tokens differ in each run. */
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
    const straight = await shapes(false);
    expect(await shapes(true)).toEqual(straight);
  });
});
