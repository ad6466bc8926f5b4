import { exec } from '../../src/core/action.ts';
import { add_host } from '../../src/modules/add_host.ts';
import { describe, expect, it } from 'vitest';
import { assert } from '../../src/modules/assert.ts';
import { command } from '../../src/modules/command.ts';
import { splitWords } from '../../src/modules/lib/run.ts';
import { debug } from '../../src/modules/debug.ts';
import { document } from '../../src/modules/document.ts';
import { fail } from '../../src/modules/fail.ts';
import { group_by } from '../../src/modules/group_by.ts';
import { include_vars } from '../../src/modules/include_vars.ts';
import { pause } from '../../src/modules/pause.ts';
import { service } from '../../src/modules/service.ts';
import { set_fact } from '../../src/modules/set_fact.ts';
import { setup } from '../../src/modules/setup.ts';
import { shell } from '../../src/modules/shell.ts';
import type { Plan } from '../../src/core/module.ts';
import { uri } from '../../src/modules/uri.ts';
import { wait_for } from '../../src/modules/wait_for.ts';
import { absent, fakeHost, fileFact, testModule } from '../helpers/module-tester.ts';

testModule(command, {
  settled: [
    {
      title: 'what it creates exists',
      args: { cmd: 'x', creates: '/a' },
      facts: { 'file.state /a': fileFact() },
    },
    {
      title: 'what it removes is gone',
      args: { cmd: 'x', removes: '/a' },
      facts: { 'file.state /a': absent },
    },
    { title: 'read_only', args: { argv: ['id'], read_only: true } },
  ],
  changes: [
    {
      title: 'splits cmd',
      args: { cmd: 'systemctl restart "a b"' },
      actions: ['exec systemctl restart a b'],
    },
    {
      title: 'runs argv as it is',
      args: { argv: ['echo', '$HOME', 1] },
      actions: ['exec echo $HOME 1'],
    },
    {
      title: 'runs while creates is absent',
      args: { cmd: 'x', creates: '/a' },
      facts: { 'file.state /a': absent },
      actions: ['exec x'],
    },
  ],
  refused: [
    { title: 'cmd and argv together', args: { cmd: 'x', argv: ['x'] }, code: 'SCHEMA' },
    { title: 'an unclosed quote', args: { cmd: 'echo "a' }, code: 'TASK_FAILED' },
  ],
});

describe('splitWords', () => {
  it('keeps quoted blanks, empty words and escaped characters', () => {
    expect(splitWords(String.raw`a "b c" '' d\ e 'f"g'`)).toEqual(['a', 'b c', '', 'd e', 'f"g']);
  });
});

testModule(shell, {
  settled: [{ title: 'read_only', args: { cmd: 'a | b', read_only: true } }],
  changes: [
    { title: 'hands the text to sh', args: { cmd: 'a | b' }, actions: ['exec /bin/sh -c a | b'] },
  ],
  refused: [{ title: 'no text', args: {}, code: 'SCHEMA' }],
});

const unit = (state: object) => ({
  'systemd.unit k0sworker': {
    exists: true,
    active: false,
    enabled: false,
    masked: false,
    ...state,
  },
});

testModule(service, {
  settled: [
    {
      title: 'a unit that does not exist is disabled',
      args: { name: 'gone', enabled: false },
      facts: {
        'systemd.unit gone': { exists: false, active: false, enabled: false, masked: false },
      },
    },
    {
      title: 'a unit of the user',
      args: { name: 'sync', state: 'started', scope: 'user' },
      facts: {
        'systemd.unit sync user': { exists: true, active: true, enabled: true, masked: false },
      },
    },
    {
      title: 'a running unit',
      args: { name: 'k0sworker', state: 'started' },
      facts: unit({ active: true }),
    },
    {
      title: 'a missing unit to stop',
      args: { name: 'k0sworker', state: 'stopped' },
      facts: unit({ exists: false }),
    },
    {
      title: 'restart of a sleeping unit only if active',
      args: { name: 'k0sworker', state: 'restarted', only_if_active: true },
      facts: unit({}),
    },
  ],
  changes: [
    {
      title: 'starts a unit of the user',
      args: { name: 'sync', state: 'started', scope: 'user' },
      facts: {
        'systemd.unit sync user': { exists: true, active: false, enabled: true, masked: false },
      },
      actions: [expect.stringMatching(/systemctl --user "\$@" systemctl start sync$/) as string],
      restore: [{ module: 'service', args: { name: 'sync', scope: 'user', state: 'stopped' } }],
    },
    {
      title: 'reads unit files again, without a unit',
      args: { daemon_reload: true, daemon_reexec: true },
      actions: ['exec systemctl daemon-reexec', 'exec systemctl daemon-reload'],
      restore: [],
    },
    {
      title: 'does not wait for a start',
      args: { name: 'k0sworker', state: 'started', no_block: true, enabled: true },
      facts: unit({}),
      actions: ['exec systemctl enable k0sworker', 'exec systemctl --no-block start k0sworker'],
    },
    {
      title: 'stops and disables, and can turn back',
      args: { name: 'k0sworker', state: 'stopped', enabled: false },
      facts: unit({ active: true, enabled: true }),
      actions: ['exec systemctl disable k0sworker', 'exec systemctl stop k0sworker'],
      restore: [
        { module: 'service', args: { name: 'k0sworker', state: 'started', enabled: true } },
      ],
    },
    {
      title: 'reads unit files again before starting',
      args: { name: 'k0sworker', state: 'started', daemon_reload: true },
      facts: unit({}),
      actions: ['exec systemctl daemon-reload', 'exec systemctl start k0sworker'],
      restore: [{ module: 'service', args: { name: 'k0sworker', state: 'stopped' } }],
    },
    {
      title: 'restarts',
      args: { name: 'k0sworker', state: 'restarted' },
      facts: unit({ active: true }),
      actions: ['exec systemctl restart k0sworker'],
    },
  ],
  refused: [
    {
      title: 'a missing unit',
      args: { name: 'k0sworker', state: 'started' },
      facts: unit({ exists: false }),
      code: 'TASK_FAILED',
    },
    { title: 'an unknown state', args: { name: 'k0sworker', state: 'running' }, code: 'SCHEMA' },
  ],
});

it('a handler that runs again in a rollback does not wake a sleeping service', async () => {
  const args = { name: 'k0sworker', state: 'restarted' } as const;
  const { undo } = await service.plan(args, fakeHost({ facts: unit({ active: true }) }));
  expect(undo?.rerun).toEqual({ module: 'service', args: { ...args, only_if_active: true } });
});

testModule(wait_for, {
  settled: [
    { title: 'a path', args: { path: '/a', timeout: 5 } },
    { title: 'a port', args: { port: 6443, host: 'db', state: 'stopped' } },
  ],
  refused: [
    { title: 'path and port', args: { path: '/a', port: 1 }, code: 'SCHEMA' },
    {
      title: 'a path that is drained',
      args: { path: '/a', state: 'drained' },
      code: 'TASK_FAILED',
    },
    {
      title: 'connections of another host',
      args: { port: 80, host: 'db', state: 'drained' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a path that is "started"',
      args: { path: '/a', state: 'started' },
      code: 'TASK_FAILED',
    },
  ],
});

const url = 'https://api.example.com/x';
testModule(uri, {
  settled: [
    {
      title: 'GET keeps status and JSON',
      args: { url },
      responses: { [`GET ${url}`]: { status: 200, body: '{"a":1}', headers: {} } },
      result: { status: 200, json: { a: 1 } },
    },
    {
      title: 'HEAD looks, and accepts one status',
      args: { url, method: 'HEAD', status_code: 204 },
      responses: { [`HEAD ${url}`]: { status: 204, body: '', headers: {} } },
      result: { status: 204 },
    },
  ],
  changes: [
    {
      title: 'POST with a login is an action',
      args: { url, method: 'POST', url_username: 'eva', url_password: 'x' },
      actions: [`http POST ${url}`],
    },
    {
      title: 'PUT is an action',
      args: { url, method: 'PUT', body: { a: 1 } },
      actions: [`http PUT ${url}`],
    },
  ],
  refused: [
    {
      title: 'another status',
      args: { url },
      responses: { [`GET ${url}`]: { status: 500, body: '', headers: {} } },
      code: 'TASK_FAILED',
    },
    {
      title: 'a key without its certificate',
      args: { url, client_key: 'key.pem' },
      files: { 'key.pem': 'KEY' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a form that is no map',
      args: { url, method: 'POST', body: [1], body_format: 'form-urlencoded' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a value that is not written as anything',
      args: { url, method: 'POST', body: { a: 1 }, body_format: 'raw' },
      code: 'TASK_FAILED',
    },
    { title: 'a file URL', args: { url: 'file:///etc/passwd' }, code: 'SCHEMA' },
  ],
});

testModule(assert, {
  settled: [{ title: 'all hold', args: { that: [true, true] } }],
  refused: [
    { title: 'one does not', args: { that: [true, 'a == b'] }, code: 'TASK_FAILED' },
    { title: 'an empty list', args: { that: [] }, code: 'SCHEMA' },
  ],
});

it('assert names what does not hold', () => {
  const message = (that: (string | boolean)[]) => () =>
    assert.plan({ that, fail_msg: 'Do this.' }, fakeHost({}));
  expect(message([true, 'a == b'])).toThrow(/^Do this\. \(Not true: a == b\.\)$/);
  expect(message(['a == b'])).toThrow(/^Do this\.$/);
});

it('fail stops with its message', () => {
  expect(() => fail.plan({ msg: 'Free the disk.' }, fakeHost({}))).toThrow('Free the disk.');
});
testModule(debug, {
  settled: [
    { title: 'a value', args: { msg: { a: 1 } }, result: { msg: '{\n  "a": 1\n}' } },
    { title: 'for those who ask', args: { msg: 'x', verbosity: 1 }, result: { stdout: 'x' } },
  ],
});
testModule(pause, {
  settled: [
    { title: 'no time', args: { seconds: 0 } },
    { title: 'a question', args: { prompt: 'Go on?' } },
  ],
  refused: [
    { title: 'less than none', args: { seconds: -1 }, code: 'SCHEMA' },
    { title: 'a question and a time', args: { seconds: 1, prompt: 'Go on?' }, code: 'SCHEMA' },
    { title: 'nothing', args: {}, code: 'SCHEMA' },
  ],
});
testModule(group_by, {
  settled: [
    { title: 'a group', args: { key: 'managers' }, result: { group: 'managers' } },
    { title: 'a group in place of others', args: { key: 'a', leave: ['b', 'c'] } },
  ],
  refused: [{ title: 'a name with blanks', args: { key: 'a b' }, code: 'SCHEMA' }],
});
testModule(set_fact, {
  settled: [{ title: 'a value', args: { a: [1] } }],
  refused: [
    { title: 'nothing', args: {}, code: 'SCHEMA' },
    { title: 'a name with a dash', args: { 'a-b': 1 }, code: 'TASK_FAILED' },
  ],
});

testModule(setup, {
  settled: [
    {
      title: 'only asks',
      args: {},
      facts: { 'host.facts': { hostname: 'h' } },
      result: { ansible_facts: { hostname: 'h' } },
    },
  ],
});

testModule(document, {
  settled: [{ title: 'only shows', args: { title: 'Report', text: 'all is well' } }],
  refused: [{ title: 'nothing to show', args: { title: 'Report' }, code: 'SCHEMA' }],
});

testModule(include_vars, {
  settled: [
    {
      title: 'each name',
      args: { file: 'a.yml' },
      files: { 'vars/a.yml': 'x: 1' },
    },
    {
      title: 'as one variable, from beside the playbook',
      args: { file: 'a.json', name: 'all' },
      files: { 'a.json': '{"x": 1}' },
    },
    {
      title: 'of a folder, so deep, the later ones winning',
      args: { dir: 'more', depth: 2, extensions: ['yml', '.json'], name: 'all' },
      folders: {
        'vars/more': ['a.yml', 'b/c.json', 'b/c/d.yml', 'b/notes.txt', 'z.yaml'].map((path) => ({
          ...{ path, type: 'file', mode: '0644' },
        })),
      },
      files: {
        '/controller/vars/more/a.yml': 'x: 1\ny: 1',
        '/controller/vars/more/b/c.json': '{"x": 2}',
      },
    },
  ],
  refused: [
    { title: 'a depth of a file', args: { file: 'a.yml', depth: 1 }, code: 'SCHEMA' },
    { title: 'a file as a folder', args: { dir: 'a.yml' }, code: 'TASK_FAILED' },
    {
      title: 'a list',
      args: { file: 'a.yml' },
      files: { 'vars/a.yml': '- 1' },
      code: 'TASK_FAILED',
    },
    {
      title: 'no YAML',
      args: { file: 'a.yml' },
      files: { 'vars/a.yml': 'a: [' },
      code: 'TASK_FAILED',
    },
  ],
});

testModule(add_host, {
  settled: [
    {
      title: 'with groups and variables',
      args: { name: 'late', groups: ['a', 'b'], ansible_host: '10.0.0.9' },
      result: {
        add_host: { name: 'late', groups: ['a', 'b'], vars: { ansible_host: '10.0.0.9' } },
      },
    },
  ],
  refused: [{ title: 'a name that is a pattern', args: { name: 'a:b' }, code: 'SCHEMA' }],
});

describe('arguments that change how something is done', () => {
  it('uri: bodies are written as they are asked for', async () => {
    const request = async (args: object) => {
      const { actions } = await uri.plan(
        { url: 'https://a.example.com', method: 'POST', ...args },
        fakeHost({ files: { 'a.pem': 'CERT', 'ca.pem': 'CA' } }),
      );
      return actions[0]?.kind === 'http' ? actions[0].request : undefined;
    };
    const form = { body: { a: 'x y', b: [1, true] }, body_format: 'form-urlencoded' };
    expect(await request(form)).toMatchObject({
      body: 'a=x+y&b=1&b=true',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      redirects: 'safe',
    });
    expect(await request({ body: '{"a":1}', body_format: 'json' })).toMatchObject({
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });
    const more = { client_cert: 'a.pem', ca_path: 'ca.pem', status_code: [201, 202] };
    expect(await request({ ...more, follow_redirects: 'none', unix_socket: '/run/a' })).toEqual({
      ...{ method: 'POST', url: 'https://a.example.com', headers: {}, timeoutMs: 30_000 },
      ...{ ca: 'CA', clientCertificate: { cert: 'CERT', key: 'CERT' }, accept: [201, 202] },
      socket: '/run/a',
    });
  });

  it('include_vars: the later file wins', async () => {
    const folders = {
      'vars/d': ['a.yml', 'b.yml'].map((path) => ({ path, type: 'file' as const, mode: '0644' })),
    };
    const files = { '/controller/vars/d/a.yml': 'x: 1\ny: 1', '/controller/vars/d/b.yml': 'x: 2' };
    const { run } = await include_vars.plan({ dir: 'd' }, fakeHost({ folders, files }));
    expect(run).toEqual([{ kind: 'set-facts', facts: { x: 2, y: 1 } }]);
  });

  it('pause: what is typed may be hidden', () => {
    const { run } = pause.plan({ prompt: 'Word?', echo: false }, fakeHost({})) as Plan;
    expect(run).toEqual([{ kind: 'ask', question: { text: 'Word?', hidden: true } }]);
  });

  it('uri: a login is basic authentication', async () => {
    const args = { url: 'https://a.example.com', method: 'POST' as const };
    const { actions } = await uri.plan(
      { ...args, url_username: 'eva', url_password: 'secret' },
      fakeHost({}),
    );
    expect(actions).toMatchObject([
      { request: { headers: { authorization: `Basic ${btoa('eva:secret')}` } } },
    ]);
  });

  it('wait_for: a delay comes before the first look', async () => {
    const { actions } = await wait_for.plan({ path: '/a', delay: 3 }, fakeHost({}));
    expect(actions).toMatchObject([
      { argv: ['/bin/sh', '-c', expect.stringMatching(/^sleep 3\nleft=300\n/) as string] },
    ]);
  });

  it('service: reading unit files again is no change of its own', async () => {
    const { actions } = await service.plan({ daemon_reload: true }, fakeHost({}));
    expect(actions).toEqual([{ ...exec('systemctl', 'daemon-reload'), counts: false }]);
  });
});
