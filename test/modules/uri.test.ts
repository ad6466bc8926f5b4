import { describe, expect, it } from 'vitest';
import { exec } from '../../src/core/action.ts';
import type { Plan } from '../../src/core/module.ts';
import { include_vars } from '../../src/modules/include_vars.ts';
import { pause } from '../../src/modules/pause.ts';
import { service } from '../../src/modules/service.ts';
import { uri } from '../../src/modules/uri.ts';
import { wait_for } from '../../src/modules/wait_for.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';

const url = 'https://api.example.com/x';

testModule(uri, {
  settled: [
    {
      title: 'GET returns status and JSON',
      args: { url },
      responses: { [`GET ${url}`]: { status: 200, body: '{"a":1}', headers: {} } },
      result: { status: 200, json: { a: 1 } },
    },
    {
      title: 'HEAD only reads, and accepts the given status',
      args: { url, method: 'HEAD', status_code: 204 },
      responses: { [`HEAD ${url}`]: { status: 204, body: '', headers: {} } },
      result: { status: 204 },
    },
  ],
  changes: [
    {
      title: 'POST with a login changes something',
      args: { url, method: 'POST', url_username: 'eva', url_password: 'x' },
      actions: [`http POST ${url}`],
    },
    {
      title: 'PUT changes something',
      args: { url, method: 'PUT', body: { a: 1 } },
      actions: [`http PUT ${url}`],
    },
  ],
  refused: [
    {
      title: 'an unexpected status',
      args: { url },
      responses: { [`GET ${url}`]: { status: 500, body: '', headers: {} } },
      code: 'TASK_FAILED',
    },
    {
      title: 'a client key without its certificate',
      args: { url, client_key: 'key.pem' },
      files: { 'key.pem': 'KEY' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a form that is not a map',
      args: { url, method: 'POST', body: [1], body_format: 'form-urlencoded' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a value as a raw body',
      args: { url, method: 'POST', body: { a: 1 }, body_format: 'raw' },
      code: 'TASK_FAILED',
    },
    { title: 'a file URL', args: { url: 'file:///etc/passwd' }, code: 'SCHEMA' },
  ],
});

describe('optional arguments', () => {
  it('uri: encodes bodies as body_format says', async () => {
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

  it('include_vars: later files override earlier ones', async () => {
    const directories = {
      'vars/d': ['a.yml', 'b.yml'].map((path) => ({ path, type: 'file' as const, mode: '0644' })),
    };
    const files = { '/controller/vars/d/a.yml': 'x: 1\ny: 1', '/controller/vars/d/b.yml': 'x: 2' };
    const { run } = await include_vars.plan({ dir: 'd' }, fakeHost({ directories, files }));
    expect(run).toEqual([{ kind: 'set-facts', facts: { x: 2, y: 1 } }]);
  });

  it('pause: an answer can be hidden', () => {
    const { run } = pause.plan({ prompt: 'Word?', echo: false }, fakeHost({})) as Plan;
    expect(run).toEqual([{ kind: 'ask', question: { text: 'Word?', hidden: true } }]);
  });

  it('uri: sends a login as basic authentication', async () => {
    const args = { url: 'https://a.example.com', method: 'POST' as const };
    const { actions } = await uri.plan(
      { ...args, url_username: 'eva', url_password: 'secret' },
      fakeHost({}),
    );
    expect(actions).toMatchObject([
      { request: { headers: { authorization: `Basic ${btoa('eva:secret')}` } } },
    ]);
  });

  it('wait_for: waits for the delay before the first check', async () => {
    const { actions } = await wait_for.plan({ path: '/a', delay: 3 }, fakeHost({}));
    expect(actions).toMatchObject([
      { argv: ['/bin/sh', '-c', expect.stringMatching(/^sleep 3\nleft=300\n/) as string] },
    ]);
  });

  it('service: a daemon-reload alone does not count as a change', async () => {
    const { actions } = await service.plan({ daemon_reload: true }, fakeHost({}));
    expect(actions).toEqual([{ ...exec('systemctl', 'daemon-reload'), counts: false }]);
  });
});
