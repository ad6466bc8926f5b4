import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(1);
});
afterAll(() => bench.stop());
beforeEach(async () => {
  await bench.reset();
  await bench.shell('h1', 'printf "workers=2\\n" >/etc/app.env');
});

const put = (path: string, text: string) => bench.cli.file(path, text);
const module = (name: string, text: string) => put(`modules/${name}.js`, text);
/** A module without arguments whose `plan` has the given body. */
const plain = (name: string, plan: string) =>
  module(
    name,
    `export default { name: '${name}', summary: 'S.', effect: 'changes', args: { type: 'object', properties: {}, additionalProperties: false }, plan() { ${plan} } };`,
  );
const play = (name: string, ...extra: string[]) =>
  bench.play(`- { name: P, hosts: all, tasks: [{ name: T, ${name}: {} }] }\n`, extra);

describe('a custom module in a role', () => {
  const setting = (value: string) =>
    `- { name: Set, app_setting: { path: /etc/app.env, name: workers, value: '${value}' } }\n`;
  beforeEach(() => {
    const own = join(packageRoot(), 'examples', 'own-module', 'modules');
    cpSync(own, join(bench.cli.dir, 'roles', 'app', 'modules'), { recursive: true });
  });

  it('plans, applies, and rolls back from the copy in the run after the role is deleted', async () => {
    put('roles/app/tasks/main.yml', setting('8'));
    const text =
      '- { name: P, hosts: all, roles: [app], post_tasks: [{ name: Fails, fail: { msg: no } }] }\n';
    const planned = await bench.play(text, ['--check', '--diff']);
    expect(planned.stdout).toContain('workers=8');
    expect(bench.read('h1', 'etc/app.env')).toBe('workers=2\n');
    const stopped = await bench.play(text, ['--on-failure', 'stop']);
    expect(stopped.code, stopped.stdout).toBe(5);
    expect(bench.read('h1', 'etc/app.env')).toBe('workers=8\n');
    rmSync(join(bench.cli.dir, 'roles'), { recursive: true });
    const back = await bench.cli.run(['rollback', '--output', 'json']);
    expect(back.code, back.stdout + back.stderr).toBe(3);
    expect(bench.read('h1', 'etc/app.env')).toBe('workers=2\n');
  });

  it('fails before the run if an argument is not valid', async () => {
    put('roles/app/tasks/main.yml', setting('8').replace('value', 'valeu'));
    const { code, stderr } = await bench.play('- { name: P, hosts: all, roles: [app] }\n');
    expect(code).toBe(1);
    expect(stderr).toContain('Unknown argument "valeu". Did you mean "value"?');
  });

  it('fails its task with its own error message', async () => {
    await bench.shell('h1', 'rm /etc/app.env');
    put('roles/app/tasks/main.yml', setting('8'));
    const { code, stdout } = await bench.play('- { name: P, hosts: all, roles: [app] }\n');
    expect(code).toBe(2);
    expect(stdout).toContain('Module \\"app_setting\\": file /etc/app.env does not exist on h1.');
  });
});

describe('an invalid custom module', () => {
  it.each([
    ['a syntax error', 'broken', 'export default {', 'Unexpected'],
    ['no default export', 'nothing', 'export const x = 1;', 'its default export is not an object'],
    [
      'the name of another module',
      'other',
      "export default { name: 'else' };",
      'its "name" is "else", not "other"',
    ],
    [
      'a schema that allows any argument',
      'open',
      "export default { name: 'open', summary: 'S.', args: { type: 'object' }, plan() {} };",
      'additionalProperties: false',
    ],
    [
      'the old interface',
      'old',
      "export default { name: 'old', summary: 'S.', schema: {}, restore() {}, plan() {} };",
      'it uses the old interface: "schema", "restore". Rename "schema" to "args"',
    ],
    [
      'an effect that does not exist',
      'odd',
      "export default { name: 'odd', summary: 'S.', args: { type: 'object', additionalProperties: false }, effect: 'maybe', plan() {} };",
      'its "effect" is "maybe". It must be one of reads, restores, passes, changes',
    ],
    [
      'an import of another file',
      'beside',
      "import x from './x.js'; export default x;",
      'can only import from "node:"',
    ],
  ])('is refused before the run for %s', async (_, name, text, reason) => {
    module(name, text);
    const { code, stderr } = await play(name);
    expect(code).toBe(1);
    expect(stderr).toContain(`${name}.js is not a valid module`);
    expect(stderr).toContain(reason);
  });

  it('is refused when it has the name of a built-in module', async () => {
    plain('copy', 'return { actions: [] };');
    expect((await play('copy')).stderr).toContain('"copy" is the name of a built-in module.');
  });

  it('fails its task when it plans an unknown action', async () => {
    plain('strange', "return { actions: [{ kind: 'explode' }] };");
    expect((await play('strange')).stdout).toContain(
      'is not an action. Use one of these kinds: exec, write',
    );
  });

  it('fails its task when the undo of its plan has no calls', async () => {
    plain('undone', "return { actions: [{ kind: 'exec', argv: ['true'] }], undo: [] };");
    expect((await play('undone')).stdout).toContain('must be { calls: [{ module, args }] }');
  });

  it('fails its task when its plan has no list of actions', async () => {
    plain('empty', 'return undefined;');
    expect((await play('empty')).stdout).toContain('must return an object with a list');
  });
});

it('an unhandled rejection in a module does not end the run', async () => {
  plain('stray', `Promise.reject(new Error('stray')); return { actions: [] };`);
  const { code, stderr } = await bench.spawn(
    '- { name: P, hosts: all, tasks: [{ name: T, stray: {} }, { name: Wait, shell: sleep 0.5, undo: none }] }\n',
  );
  expect(stderr).toContain('Unhandled error: Error: stray');
  expect(code, stderr).toBe(0);
});
