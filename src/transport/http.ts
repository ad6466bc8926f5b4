import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { HttpRequest, HttpResponse } from '../core/action.ts';
import { ConnectError } from '../core/errors.ts';

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Sends one request from the controller. Redirects are not followed. @throws ConnectError when no answer comes */
export function sendHttp(request: HttpRequest): Promise<HttpResponse> {
  const url = new URL(request.url);
  const options: RequestOptions = {
    method: request.method,
    headers: {
      ...request.headers,
      ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }),
    },
    timeout: request.timeoutMs,
    // A pinned authority replaces those of the system; the name is still checked.
    ...(request.ca === undefined ? {} : { ca: request.ca }),
    ...(request.insecure ? { rejectUnauthorized: false } : {}),
  };
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      reject(
        new ConnectError(`No answer from ${request.method} ${request.url}: ${error.message}.`, {
          host: url.host,
          stage: 'handshake',
          retryable: true,
          hint: /certificate|self.signed/i.test(error.message)
            ? 'Give the PEM of its authority.'
            : undefined,
          cause: error,
        }),
      );
    };
    const call = send(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY_BYTES) response.destroy(new Error('the answer is larger than 32 MiB'));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => {
        const headers = Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
        );
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
          headers,
        });
      });
    });
    call.on('error', fail);
    call.on('timeout', () =>
      call.destroy(new Error(`no answer within ${String(request.timeoutMs / 1000)} s`)),
    );
    call.end(request.body);
  });
}
