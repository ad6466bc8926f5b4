import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { LONGEST_TIMER_MS } from '../util/time.ts';
import type { HttpRequest, HttpResponse } from '../core/action.ts';
import { ConnectError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_REDIRECTS = 10;

/** Converts a response to the output of an action. A status that the request does not accept is a failure. */
export function requestOutput(
  { accept }: Pick<HttpRequest, 'accept'>,
  { status, body }: HttpResponse,
): CommandOutput {
  const ok = accept?.includes(status) ?? (status >= 200 && status < 300);
  return { code: ok ? 0 : 1, stdout: body, stderr: ok ? '' : `HTTP status ${String(status)}` };
}

/**
 * Sends one request from the controller.
 *
 * @throws ConnectError if there is no response, or there are too many redirects
 */
export async function sendHttp(request: HttpRequest): Promise<HttpResponse> {
  const deadline = AbortSignal.timeout(Math.min(request.timeoutMs, LONGEST_TIMER_MS));
  let current = request;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await sendOnce(current, deadline);
    const next = redirected(current, response);
    if (next === undefined) return { ...response, url: current.url };
    current = next;
  }
  throw failure(request, new Error(`redirected more than ${String(MAX_REDIRECTS)} times`));
}

/** The next request after a redirect, by the rules of browsers for 301 to 303; undefined if there is no redirect to follow. */
function redirected(
  request: HttpRequest,
  { status, headers }: HttpResponse,
): HttpRequest | undefined {
  const { method, redirects, url: from } = request;
  const location = headers['location'];
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  const looks = method === 'GET' || method === 'HEAD';
  if (redirects === undefined || (redirects === 'safe' && !looks)) return undefined;
  let url: URL;
  try {
    url = new URL(location, from);
  } catch (error) {
    throw failure(
      request,
      new Error(`it redirects to "${location}", which is not a valid URL`),
      error,
    );
  }
  if (!/^https?:$/.test(url.protocol))
    throw failure(request, new Error(`it redirects to "${location}", which is not HTTP or HTTPS`));
  const { body, headers: sent = {}, ...others } = request;
  const asGet = !looks && (status === 303 || (status < 303 && method === 'POST'));
  // Do not send credentials to another server.
  const elsewhere = url.origin !== new URL(from).origin;
  const left = Object.entries(sent).filter(
    ([name]) =>
      !(elsewhere && /^(authorization|cookie|proxy-authorization)$/i.test(name)) &&
      !(asGet && /^content-/i.test(name)),
  );
  if (elsewhere) delete others.clientCertificate;
  return {
    ...others,
    url: url.href,
    headers: Object.fromEntries(left),
    ...(asGet ? { method: 'GET' } : body === undefined ? {} : { body }),
  };
}

function sendOnce(request: HttpRequest, deadline: AbortSignal): Promise<HttpResponse> {
  const url = new URL(request.url);
  const options: RequestOptions = {
    method: request.method,
    headers: {
      ...request.headers,
      ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }),
    },
    signal: deadline,
    // A given CA replaces those of the system. The host name is still verified.
    ...(request.ca === undefined ? {} : { ca: request.ca }),
    ...request.clientCertificate,
    ...(request.insecure ? { rejectUnauthorized: false } : {}),
    ...(request.socket === undefined ? {} : { socketPath: request.socket }),
  };
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      const late = `no response within ${String(request.timeoutMs / 1000)} s`;
      reject(failure(request, deadline.aborted ? new Error(late) : error, error));
    };
    const call = send(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY_BYTES)
          response.destroy(new Error('the response is larger than 32 MiB'));
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
    call.end(request.body);
  });
}

function failure({ method, url }: HttpRequest, why: Error, cause: unknown = why): ConnectError {
  return new ConnectError(`${method} ${url} failed: ${why.message}.`, {
    host: new URL(url).host,
    stage: 'handshake',
    retryable: true,
    hint: /certificate|self.signed/i.test(why.message)
      ? 'Provide the CA certificate in PEM.'
      : undefined,
    cause,
  });
}
