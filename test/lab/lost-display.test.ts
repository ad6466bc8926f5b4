import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, closeSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { watch, type Output } from '../helpers/lost-output.ts';
import { itWith } from '../helpers/programs.ts';

let bench: HostsBench;

beforeAll(async () => {
  bench = await HostsBench.start(1);
});
beforeEach(() => bench.reset());
afterAll(() => bench.stop());

const outputs: [Output, code: string][] = [
  ['terminal', 'EIO'],
  ['pipe', 'EPIPE'],
  ['full disk', 'ENOSPC'],
];
const itOn = (output: Output) => (output === 'terminal' ? itWith('script') : it);

/** The output is lost at "Wait", between the changes. Both changes are kept if /etc/lost-fine exists. */
const text = `
- name: Play
  hosts: h1
  tasks:
    - { name: One, copy: { content: x, dest: /etc/lost-one } }
    - { name: Wait, wait_for: { path: /etc/lost-go, timeout: 60 } }
    - { name: Two, copy: { content: x, dest: /etc/lost-two } }
    - { name: Last, command: { argv: [test, -e, /etc/lost-fine], read_only: true } }
`;

function touch(...names: string[]): void {
  for (const name of names)
    writeFileSync(join(bench.lab.host('h1').root.dir, `etc/lost-${name}`), '');
}

const changes = () => ['one', 'two'].map((name) => bench.read('h1', `etc/lost-${name}`));
const isLocked = () => bench.read('h1', 'var/lib/runner/lock') !== undefined;

function newestRun(): { id: string; end: unknown; closed: boolean } {
  const runs = join(bench.cli.stateDir, 'runs');
  const id = readdirSync(runs).sort().at(-1) ?? '';
  const records = readFileSync(join(runs, id, 'journal'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line.slice(line.indexOf('{'), line.lastIndexOf('}') + 1)) as object);
  const end = records.findLast((record) => 't' in record && record.t === 'end');
  return { id, end, closed: existsSync(join(runs, id, 'closed')) };
}

function play(output: Output, form: string, extra: string[] = []) {
  const playbook = bench.cli.file('lost.yml', text);
  return watch(bench, output, [
    ...['play', playbook, '-i', bench.inventory, '--output', form],
    ...extra,
  ]);
}

/** Runs the playbook, closes its output after the first change, and returns the exit code. */
async function playUnseen(output: Output, form: string): Promise<number> {
  const run = play(output, form);
  await run.shows('One');
  await run.lose();
  touch('go');
  return run.ended();
}

for (const [output, code] of outputs)
  describe(`a run that loses its output (${output})`, () => {
    for (const form of ['live', 'plain', 'json']) {
      itOn(output)(`completes normally, with --output ${form}`, async () => {
        touch('fine');
        expect(await playUnseen(output, form)).toBe(0);
        expect(changes()).toEqual(['x', 'x']);
        expect(isLocked()).toBe(false);
        expect(newestRun()).toMatchObject({ closed: true, end: { outcome: 'done', exitCode: 0 } });
      });

      itOn(output)(`fails and is rolled back, with --output ${form}`, async () => {
        expect(await playUnseen(output, form)).toBe(3);
        expect(changes()).toEqual([undefined, undefined]);
        expect(isLocked()).toBe(false);
        expect(newestRun()).toMatchObject({
          closed: true,
          end: {
            outcome: 'rolled_back',
            message: expect.stringContaining('(2 changes undone), verified') as string,
          },
        });
      });
    }

    itOn(output)('is reported by "runs", "show" and the next "play"', async () => {
      await playUnseen(output, 'plain');
      const { id } = newestRun();
      const lost = new RegExp(`Standard output could not be written at \\S+Z: .* \\(${code}\\)\\.`);
      const again = await bench.play(text, ['--check']);
      expect(again.stderr).toMatch(lost);
      expect(again.stderr).toContain(`warning: Run ${id}: `);
      expect(again.stderr).toContain(
        'its journal is complete. It ended with: Failed: h1: "Last" failed',
      );
      expect((await bench.play(text, ['--check'])).stderr).toBe('');
      expect((await bench.cli.run(['runs'])).stdout).toMatch(
        new RegExp(`${id} .*\\(standard output lost at \\S+: ${code}\\)`),
      );
      const shown = await bench.cli.run(['show', id]);
      expect(shown.stdout).toMatch(lost);
      expect(shown.stdout).toContain('The run continued; its journal is complete.');
    });

    itOn(output)('can be resumed and rolled back without an output', async () => {
      touch('go');
      expect(await play('pipe', 'plain', ['--on-failure', 'stop']).ended()).toBe(5);
      touch('fine');
      const { id } = newestRun();
      for (const [mode, ended, left] of [
        ['resume', 0, 'x'],
        ['rollback', 3, undefined],
      ] as const) {
        const again = watch(bench, output, [mode, id, '--output', 'plain']);
        await again.shows(mode === 'resume' ? 'Resuming run' : 'Rolling back');
        await again.lose();
        expect(await again.ended()).toBe(ended);
        expect(changes()).toEqual([left, left]);
        expect(isLocked()).toBe(false);
      }
    });
  });

describe('a run that loses only its standard output', () => {
  it('reports the loss and its result on standard error', async () => {
    touch('go');
    const playbook = bench.cli.file('lost.yml', text);
    const { status, stderr } = await onFullDevice(['play', playbook, '-i', bench.inventory]);
    expect(status).toBe(3);
    const { id } = newestRun();
    expect(stderr).toMatch(/^warning: Standard output could not be written at .* \(ENOSPC\)\. Run/);
    expect(stderr).toContain(`Run ${id} continues.\nRun ${id}: Failed: h1: "Last" failed`);
    expect(stderr).toContain('Rolled back (2 changes undone)');
  });
});

describe('a prompt in a closed terminal', () => {
  const ask = (name: string, playbook: string, extra: string[] = [], nohup = false) =>
    watch(
      bench,
      'terminal',
      ['play', bench.cli.file(name, playbook), '-i', bench.inventory, ...extra],
      { nohup },
    );
  const paused = `${text}    - { name: Ask, pause: { prompt: 'Which release?' } }\n`;

  itWith('script')('fails a pause, as without a terminal', async () => {
    touch('go', 'fine');
    const run = ask('paused.yml', paused);
    await run.shows('Which release?');
    await run.lose();
    expect(await run.ended()).toBe(3);
    expect(changes()).toEqual([undefined, undefined]);
    expect(newestRun().end).toMatchObject({
      message: expect.stringContaining('Cannot prompt for input: Which release?') as string,
    });
  });

  itWith('script')('fails a pause if the terminal was closed before', async () => {
    touch('fine');
    const run = ask('paused.yml', paused);
    await run.shows('One');
    await run.lose();
    touch('go');
    expect(await run.ended()).toBe(3);
    expect(changes()).toEqual([undefined, undefined]);
  });

  itWith('script')('leaves an interrupted run in place', async () => {
    const run = play('terminal', 'live');
    await run.shows('Wait');
    run.press('\u0003');
    await run.shows('Interrupted: finishing running tasks');
    touch('go');
    await run.shows('What do you want to do?');
    await run.lose();
    expect(await run.ended()).toBe(130);
    expect(changes()).toEqual(['x', undefined]);
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
  });

  itWith('script')('does not roll back with "--on-failure ask"', async () => {
    touch('go');
    const run = play('terminal', 'live', ['--on-failure', 'ask']);
    await run.shows('Roll back the changes?');
    await run.lose();
    expect(await run.ended()).toBe(5);
    expect(changes()).toEqual(['x', 'x']);
  });

  itWith('script')('ends a run with "--step" before the step, as Ctrl-C does', async () => {
    const run = play('terminal', 'live', ['--step']);
    await run.shows('Play: One, on h1?');
    run.press('\r');
    await run.shows('Play: Wait, on h1?');
    await run.lose();
    expect(await run.ended()).toBe(130);
    expect(changes()).toEqual(['x', undefined]);
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
  });

  const irreversible = `
- name: Play
  hosts: h1
  tasks:
    - { name: Commit, command: { argv: [touch, /etc/lost-one] }, irreversible: it cannot be undone }
`;
  const secret = `
name: Lost
inputs:
  word: { type: string, secret: true, required: true, prompt: Which word, description: A word }
plays:
  - name: Play
    hosts: h1
    tasks:
      - { name: Word, copy: { content: '{{word}}', dest: /etc/lost-one } }
`;
  const questions: [what: string, playbook: string, question: string, says: string][] = [
    ['an irreversible step', irreversible, 'is a point of no return', 'point'],
    ['a secret input', secret, 'Which word', 'word'],
  ];
  for (const [what, playbook, question] of questions)
    itWith('script')(`refuses ${what} before anything is contacted`, async () => {
      const run = ask('question.yml', playbook, [], true);
      await run.shows(question);
      await run.lose();
      expect(await run.ended()).toBe(1);
      expect(existsSync(join(bench.cli.stateDir, 'runs'))).toBe(false);
      expect(bench.read('h1', 'etc/lost-one')).toBeUndefined();
    });
});

describe('a command whose result cannot be printed', () => {
  for (const words of [
    ['doc', 'copy'],
    ['exec', 'h1', '--', 'true'],
    ['version'],
    ['play', '--list-tasks'],
  ])
    it(`fails with the reason: ${words.join(' ')}`, async () => {
      const [command = '', ...rest] = words;
      const hosts = command === 'exec' ? ['-i', bench.inventory] : [];
      const playbook = command === 'play' ? [bench.cli.file('lost.yml', text)] : [];
      const { status, stderr } = await onFullDevice([command, ...hosts, ...playbook, ...rest]);
      expect(stderr).toBe('runner: Cannot write standard output: no space left on device.\n');
      expect(status).toBe(1);
    });

  it('succeeds when the reader has closed the pipe', async () => {
    const run = watch(bench, 'pipe', ['doc']);
    await run.lose();
    expect(await run.ended()).toBe(0);
  });
});

/** Standard output is a device on which each write fails, like a full disk. */
async function onFullDevice(words: string[]): Promise<{ status: number; stderr: string }> {
  const full = openSync('/dev/full', 'w');
  try {
    const child = spawn(process.execPath, [join(packageRoot(), 'bin', 'runner.js'), ...words], {
      cwd: bench.cli.dir,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: bench.cli.dir,
        XDG_STATE_HOME: join(bench.cli.dir, 'state'),
        RUNNER_KNOWN_HOSTS: bench.lab.files.knownHosts,
      },
      stdio: ['ignore', full, 'pipe'],
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const [status] = (await once(child, 'close')) as [number];
    return { status, stderr };
  } finally {
    closeSync(full);
  }
}
