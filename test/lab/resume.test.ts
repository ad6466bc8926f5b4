import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hostsIn, type CliResult } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

/* How a resumed run handles a change whose result did not reach the journal. */

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(2);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const play = (tasks: string) => `- name: Play
  hosts: all
  handlers:
    - { name: Handle, shell: 'echo handled >>/etc/log', undo: none }
  tasks:
${tasks.trim().replaceAll(/^/gm, '    ')}
`;
const log = () => ['h1', 'h2'].map((host) => bench.read(host, 'etc/log')?.trim().split('\n'));

/** Ends the runner with SIGKILL at a fault point on the first host that reaches it, and resumes the run. */
async function killAndResume(text: string, fault: string): Promise<CliResult> {
  const killed = await bench.spawn(text, ['--forks', '1'], { env: { RUNNER_FAULT: fault } });
  expect(killed.code, killed.stdout + killed.stderr).toBeNull();
  return bench.cli.run(['resume', '--output', 'json']);
}

const append = `- { name: Append, shell: 'echo once >>/etc/log', undo: none, notify: Handle }`;

describe('after kill -9, "runner resume"', () => {
  it('does not repeat a command that finished, and runs the handlers that it notifies', async () => {
    const { code, stdout, events } = await killAndResume(play(append), 'after-effect:play/append');
    expect(code, stdout).toBe(0);
    expect(log()).toEqual([
      ['once', 'handled'],
      ['once', 'handled'],
    ]);
    expect(hostsIn(events, 'Append', 'changed').sort()).toEqual(['h1', 'h2']);
    expect(stdout).toContain('finished before the run was interrupted; not run again');
  });

  it('runs a command that never started on the host', async () => {
    const { code, stdout } = await killAndResume(play(append), 'after-intent:play/append');
    expect(code, stdout).toBe(0);
    expect(log()).toEqual([
      ['once', 'handled'],
      ['once', 'handled'],
    ]);
  });

  it('does not repeat the finished item of a loop', async () => {
    const text = play(
      `- { name: Append, loop: [a, b], shell: 'echo {{item}} >>/etc/log', undo: none }`,
    );
    const { code, stdout } = await killAndResume(text, 'after-effect:play/append');
    expect(code, stdout).toBe(0);
    expect(log()).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('has the exit code of a finished command, and fails if its lost output is needed', async () => {
    const text = (uses: string) =>
      play(`- name: Append
  shell: 'echo once | tee -a /etc/log'
  undo: none
  register: out
  failed_when: result.rc != 0
- { name: Use, debug: { msg: ok }, when: '${uses}' }`);
    const known = await killAndResume(
      text('out.changed && out.rc == 0'),
      'after-effect:play/append',
    );
    expect(known.code, known.stdout).toBe(0);
    expect(hostsIn(known.events, 'Use', 'ok').sort()).toEqual(['h1', 'h2']);
    expect(log()[0]).toEqual(['once']);
    await bench.reset();
    const lost = await killAndResume(text('out.stdout == "once"'), 'after-effect:play/append');
    expect(lost.code, lost.stdout).toBe(3);
    expect(lost.stdout).toContain('No such key: stdout');
    expect(log()[0]).toEqual(['once']);
  });

  it('applies a module that compares again when its result is registered, and still notifies', async () => {
    const text = play(`- name: Write
  copy: { content: x, dest: /etc/written }
  register: out
  notify: Handle
- { name: Use, debug: { msg: '{{out.dest}}' }, when: out.changed }`);
    const { code, stdout, events } = await killAndResume(text, 'after-effect:play/write');
    expect(code, stdout).toBe(0);
    expect(hostsIn(events, 'Use', 'ok').sort()).toEqual(['h1', 'h2']);
    expect(log()).toEqual([['handled'], ['handled']]);
    const back = await bench.cli.run(['rollback']);
    expect(back.code, back.stdout + back.stderr).toBe(3);
  });

  it.each(['resume', 'rollback'])(
    'and "runner %s" do not work on the run at once',
    async (other) => {
      const text = play(`- { name: Append, shell: 'echo once >>/etc/log; sleep 2', undo: none }`);
      const fault = { env: { RUNNER_FAULT: 'after-intent:play/append' } };
      const killed = await bench.spawn(text, [], fault);
      expect(killed.code).toBeNull();
      const both = await Promise.all([
        bench.cli.spawn(['resume', '--output', 'json']),
        bench.cli.spawn([other, '--output', 'json']),
      ]);
      const refused = both.filter(({ code }) => code === 7);
      expect(refused, both.map(({ stderr }) => stderr).join('')).toHaveLength(1);
      expect(refused[0]?.stderr).toMatch(/is in use by "runner \w+" \(process \d+\)/);
      // Their records are not mixed: the journal is complete and has the result of the run.
      const show = await bench.cli.run(['show']);
      expect(show.code, show.stderr).toBe(0);
      expect(show.stdout).not.toContain('interrupted');
    },
  );

  it('runs the undo list of a block once, when the run is rolled back after it', async () => {
    const text = play(`- name: Block
  undo: [{ name: Undo, shell: 'echo undone >>/etc/log' }]
  block:
    - { name: Append, shell: 'echo once >>/etc/log', undo: none }
    - { name: Fails, shell: 'test -e /etc/fixed', undo: none }`);
    const { code, stdout } = await killAndResume(text, 'after-effect:play/block/append');
    expect(code, stdout).toBe(3);
    expect(log()).toEqual([
      ['once', 'undone'],
      ['once', 'undone'],
    ]);
  });
});

describe('"runner resume --force" with a point of no return that the playbook did not have', () => {
  const text = (...tasks: string[]) => play(tasks.join('\n'));
  const fails = (mark: string) =>
    `- { name: Fails, shell: 'test -e /etc/${mark} && echo once >>/etc/log', undo: none }`;
  const wipe =
    "- { name: Wipe it, shell: 'echo wiped >>/etc/log', irreversible: all data is lost }";

  it('starts only with consent, for which runner prompts once', async () => {
    const stopped = await bench.play(text(fails('one')), ['--on-failure', 'stop']);
    expect(stopped.code, stopped.stdout).toBe(5);
    bench.cli.file('playbook.yml', text(fails('two'), wipe));
    const resume = (...flags: string[]) =>
      bench.cli.run(['resume', '--output', 'json', '--force', ...flags]);
    const refused = await resume();
    expect(refused.code, refused.stdout).toBe(1);
    expect(refused.stderr).toContain('has a point of no return, "Wipe it": all data is lost.');
    expect(refused.stderr).toContain("--accept-irreversible 'Wipe it'");
    const unknown = await resume('--accept-irreversible', 'Wipe');
    expect(unknown.stderr).toContain('Use one of Wipe it.');
    const agreed = await resume('--accept-irreversible', 'Wipe it');
    expect(agreed.code, agreed.stdout + agreed.stderr).toBe(5);
    expect(log()).toEqual([undefined, undefined]);
    for (const host of ['h1', 'h2']) await bench.shell(host, 'touch /etc/two');
    const done = await resume();
    expect(done.code, done.stdout + done.stderr).toBe(0);
    expect(log()).toEqual([
      ['once', 'wiped'],
      ['once', 'wiped'],
    ]);
  });
});
