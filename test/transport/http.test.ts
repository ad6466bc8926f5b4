import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../src/core/action.ts';
import { ConnectError } from '../../src/core/errors.ts';
import { selfSigned } from '../../src/lab/certificate.ts';
import { sendHttp } from '../../src/transport/http.ts';

const directory = mkdtempSync(join(tmpdir(), 'runner-http-'));
const socket = join(directory, 'socket');
const servers: Server[] = [];
let plain = '';
let other = '';
let secure = '';

/** Serves /to/STATUS/LOCATION as a redirect, /endless without an end, and other paths with a description of the request. */
function serve(server: Server): Server {
  servers.push(server);
  return server.on('request', (request: IncomingMessage, response) => {
    const [, , status, ...where] = (request.url ?? '').split('/');
    if (request.url?.startsWith('/to/')) {
      const location = decodeURIComponent(where.join('/'));
      response.writeHead(Number(status), { location }).end();
      return;
    }
    if (request.url === '/loop') {
      response.writeHead(302, { location: '/loop' }).end();
      return;
    }
    if (request.url === '/endless') {
      response.write('.');
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => {
        clearInterval(timer);
      });
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { authorization, 'content-type': type } = request.headers;
      const peer =
        'getPeerCertificate' in request.socket
          ? (request.socket as TLSSocket).getPeerCertificate().subjectaltname
          : undefined;
      const body = Buffer.concat(chunks).toString();
      response.end(
        JSON.stringify({
          method: request.method,
          url: request.url,
          authorization,
          type,
          body,
          peer,
        }),
      );
    });
  });
}

const listen = (server: Server, ...where: [string] | [number, string]) =>
  new Promise<number>((resolve) => {
    server.listen(...(where as [number, string]), () => {
      const address = server.address() as AddressInfo | string;
      resolve(typeof address === 'string' ? 0 : address.port);
    });
  });

const server = selfSigned(['127.0.0.1'], ['server']);
const client = selfSigned(['127.0.0.1'], ['eva']);

beforeAll(async () => {
  plain = `http://127.0.0.1:${String(await listen(serve(createServer()), 0, '127.0.0.1'))}`;
  other = `http://127.0.0.1:${String(await listen(serve(createServer()), 0, '127.0.0.1'))}`;
  const tls = createTlsServer({
    ...{ ...server, ca: client.cert },
    ...{ requestCert: true, rejectUnauthorized: true },
  });
  secure = `https://127.0.0.1:${String(await listen(serve(tls), 0, '127.0.0.1'))}`;
  await listen(serve(createServer()), socket);
});

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(directory, { recursive: true, force: true });
});

const ask = (url: string, more: Partial<HttpRequest> = {}) =>
  sendHttp({ method: 'GET', url, timeoutMs: 10_000, ...more });
const said = async (url: string, more: Partial<HttpRequest> = {}) =>
  JSON.parse((await ask(url, more)).body) as Record<string, unknown>;
const to = (status: number, where: string) =>
  `${plain}/to/${String(status)}/${encodeURIComponent(where)}`;

describe('redirects', () => {
  it('are followed only if requested, and the response has the final URL', async () => {
    expect(await ask(to(302, '/there'))).toMatchObject({ status: 302 });
    expect(await ask(to(302, '/there'), { redirects: 'safe' })).toMatchObject({
      status: 200,
      url: `${plain}/there`,
    });
    expect(await ask(to(302, '/x'), { method: 'POST', redirects: 'safe' })).toMatchObject({
      status: 302,
    });
  });

  it.each([
    [303, 'PUT', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [301, 'PUT', 'PUT', 'b'],
    [307, 'POST', 'POST', 'b'],
  ] as const)('%d turns %s into %s', async (status, method, then, body) => {
    const headers = { 'content-type': 'text/plain' };
    const answer = await said(to(status, '/x'), { method, body: 'b', headers, redirects: 'all' });
    expect(answer).toMatchObject({ method: then, body });
    expect(answer['type']).toBe(then === 'GET' ? undefined : 'text/plain');
  });

  it('do not send credentials to another server', async () => {
    const login = { headers: { Authorization: 'Basic eA==' }, redirects: 'safe' } as const;
    expect(await said(to(302, '/same'), login)).toMatchObject({ authorization: 'Basic eA==' });
    expect((await said(to(302, `${other}/x`), login))['authorization']).toBeUndefined();
  });

  it('are limited in number, and only to HTTP and HTTPS', async () => {
    await expect(ask(`${plain}/loop`, { redirects: 'safe' })).rejects.toThrow('more than 10 times');
    for (const odd of ['file:///etc/passwd', 'http://[']) {
      await expect(ask(to(302, odd), { redirects: 'safe' })).rejects.toThrow(ConnectError);
    }
  });
});

describe('a request', () => {
  it('can use a Unix socket', async () => {
    expect(await said('http://engine/info', { socket })).toMatchObject({ url: '/info' });
  });

  it('sends a client certificate and verifies the server with the given CA', async () => {
    const ca = server.cert;
    const clientCertificate = client;
    expect(await said(`${secure}/x`, { ca, clientCertificate })).toMatchObject({
      peer: expect.stringContaining('DNS:eva') as string,
    });
    await expect(ask(`${secure}/x`, { ca })).rejects.toThrow(`GET ${secure}/x failed`);
    await expect(ask(`${secure}/x`, { clientCertificate })).rejects.toThrow('certificate');
  });

  it('times out while the response is still being sent', async () => {
    await expect(ask(`${plain}/endless`, { timeoutMs: 300 })).rejects.toThrow(
      'no response within 0.3 s',
    );
  });
});
