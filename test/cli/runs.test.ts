import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/journal/codec.ts';
import { Cli } from '../helpers/cli.ts';
import { runRecord } from '../helpers/records.ts';

let cli: Cli;
afterEach(() => {
  cli.dispose();
});

const end = { t: 'end', outcome: 'done', exitCode: 0, message: 'Done.', at: '' } as const;

/** Writes a journal with the given fields in its run record. */
function journal(run: string, header: object): void {
  const directory = join(cli.stateDir, 'runs', run);
  mkdirSync(directory, { recursive: true });
  const records = [{ ...runRecord({ run }), ...header }, end];
  const lines = records.map((record, index) =>
    encodeRecord(index + 1, JSON.parse(JSON.stringify(record)) as object),
  );
  writeFileSync(join(directory, 'journal'), lines.join(''));
}

it('escapes control characters in the texts of a run', async () => {
  cli = new Cli();
  const run = '20260103-000000-0001';
  journal(run, { playbook: 'p\u001b[2J.yml' });
  for (const command of ['runs', 'show']) {
    const { stdout } = await cli.run([command]);
    expect(stdout).toContain(String.raw`p\x1b[2J.yml`);
  }
});

describe('a journal with another format', () => {
  const old = '20260101-000000-0001';
  const now = '20260102-000000-0001';

  it('is listed as unreadable by "runs", and refused by other commands', async () => {
    cli = new Cli();
    journal(old, { format: undefined, runner: undefined, version: 1 });
    journal(now, {});
    const { code, stdout } = await cli.run(['runs']);
    expect(code).toBe(0);
    expect(stdout).toContain(`${old}  unreadable`);
    expect(stdout).toContain(`${now}  done`);
    const listed = await cli.run(['runs', '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { id: now, state: 'done' },
      { id: old, state: 'unreadable', error: expect.stringContaining('format 1') as string },
    ]);
    for (const command of ['show', 'rollback', 'resume']) {
      const refused = await cli.run([command, old]);
      expect(refused.code).toBe(9);
      expect(refused.stderr).toContain('this version of runner reads format 5 only');
    }
  });

  it('blocks "play" on its hosts until the run is removed', async () => {
    cli = new Cli();
    journal(old, { format: undefined, runner: undefined, version: 1 });
    const playbook = cli.file(
      'p.yml',
      '- { name: P, hosts: localhost, tasks: [{ name: Say, debug: { msg: x } }] }\n',
    );
    const { code, stderr } = await cli.run(['play', playbook]);
    expect(code, stderr).toBe(7);
    expect(stderr).toContain(`Run ${old} is not finished, and cannot be read.`);
    expect(stderr).toContain('this version of runner reads format 5 only');
    expect(stderr).toContain(`remove ${join(cli.stateDir, 'runs', old)}.`);
    rmSync(join(cli.stateDir, 'runs', old), { recursive: true });
    expect((await cli.run(['play', playbook])).code).toBe(0);
  });
});
