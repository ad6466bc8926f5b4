import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cli } from '../helpers/cli.ts';

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.dispose();
});

const help = (input: string) =>
  cli.run([
    'play',
    cli.file(
      'site.yml',
      `name: Site\ninputs: { ${input}: { type: string, default: x, description: An input } }\nplays: [{ name: P, hosts: all, tasks: [{ name: T, ping: }] }]\n`,
    ),
    '--help',
  ]);

describe('the name of an input', () => {
  it.each(['backup_', 'a__b', 'Backup', '2nd', 'a-b'])('"%s" is rejected', async (name) => {
    const { code, stderr } = await help(name);
    expect(stderr).toContain(`Input "${name}" must be named in snake_case.`);
    expect(code).toBe(1);
  });

  it.each([
    ['backup', '--backup'],
    ['backup_dir2', '--backup-dir2'],
    ['a_b_c', '--a-b-c'],
  ])('"%s" becomes the flag %s', async (name, flag) => {
    const { code, stdout } = await help(name);
    expect(stdout).toContain(`${flag} <VALUE>`);
    expect(code).toBe(0);
  });
});
