import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtinModules as modules } from '../../../src/cli/builtin-modules.ts';
import { resolveInputs } from '../../../src/cli/flags/inputs.ts';
import { loadPlaybook } from '../../../src/playbook/load.ts';
import { Cli } from '../../helpers/cli.ts';
import { memoryFiles } from '../../helpers/memory-files.ts';
import { quietWorld } from '../../helpers/world.ts';

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

describe('the value of an input', () => {
  const specs = (yaml: string) =>
    loadPlaybook('/site.yml', {
      modules,
      files: memoryFiles({
        '/site.yml': `name: Site\ninputs: ${yaml}\nplays: [{ name: P, hosts: all, tasks: [{ name: T, ping: }] }]\n`,
      }),
      rolePaths: [],
      playbookPaths: [],
    }).inputs;
  const resolve = (
    yaml: string,
    options: Record<string, unknown>,
    { env = {}, answer }: { env?: Record<string, string>; answer?: string } = {},
  ) =>
    resolveInputs(specs(yaml), quietWorld(env), {
      options,
      askMissing: () => Promise.resolve(answer),
      warn: () => undefined,
    });
  const token =
    '{ token: { type: string, secret: true, required: true, env: TOKEN, description: T } }';

  it('comes from an option or a file, then the environment, then a prompt', async () => {
    const env = { TOKEN: 'from-env' };
    const file = cli.file('token', 'from-file\n');
    const given = async (options: Record<string, unknown>, from = {}) =>
      (await resolve(token, options, { answer: 'from-prompt', ...from })).given['token'];
    expect(await given({ tokenFile: file }, { env })).toBe('from-file');
    expect(await given({}, { env })).toBe('from-env');
    expect(await given({}, { env: { TOKEN: '' } })).toBe('from-prompt');
  });

  it('cannot be passed as an option for a secret with "flag: false"', async () => {
    expect((await resolve(token, { token: 'x' })).given).toEqual({ token: 'x' });
    const hidden = token.replace('secret: true', 'secret: true, flag: false');
    await expect(resolve(hidden, { token: 'x' })).rejects.toThrow(
      '--token would expose the secret',
    );
  });

  it.each([
    ['{ type: integer }', '12', 12],
    ['{ type: boolean }', 'true', true],
    ['{ type: array, items: { type: string } }', 'a, b', ['a', 'b']],
    ['{ type: array, items: { type: string } }', '["a, b"]', ['a, b']],
    ['{ type: string }', '12', '12'],
  ])('is converted to the type of the input: %s from "%s" is %j', async (spec, word, value) => {
    const yaml = `{ x: ${spec.replace('{', '{ description: An input,')} }`;
    expect((await resolve(yaml, { x: word })).given).toEqual({ x: value });
  });

  it('is the default if none is given, and every missing required input is reported', async () => {
    const yaml =
      '{ a: { type: integer, default: 3, description: A }, b: { type: string, required: true, description: B }, c: { type: string, required: true, description: C } }';
    await expect(resolve(yaml, {})).rejects.toMatchObject({
      problems: [
        { message: 'Input "b" is missing: B.', hint: 'Use --b.' },
        { message: 'Input "c" is missing: C.' },
      ],
    });
    const { given, defaults } = await resolve(yaml, { b: '1', c: '2' });
    expect([given, defaults]).toEqual([{ b: '1', c: '2' }, { a: 3 }]);
  });
});
