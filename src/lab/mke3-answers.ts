import { createHash } from 'node:crypto';
import { kubernetesDefaults, METRICS, pageOf } from './mke3-workloads.ts';

export const LAB_ADMIN = { username: 'admin', password: 'lab-admin-password' };

/** Maximum number of sessions per user in MKE 3, by default (`auth.sessions.per_user_limit`). */
const SESSIONS = 10;

export interface ApiState {
  certificate: string;
  /** The MKE 3 configuration, which tests can change. */
  toml: () => string;
  /** Swarm nodes in the format of the engine's API. */
  nodes: () => unknown[] | Promise<unknown[]>;
  /** Response of Kubernetes for a path in "/api" or "/apis"; undefined for the default response. */
  kubernetes?: ((path: string) => unknown) | undefined;
  /** Whether `ucp-controller` runs on a manager. */
  isUp: () => boolean;
  /** Returns a new session token. */
  token: () => string;
}

interface ApiRequest {
  method: string;
  /** Path and query. */
  url: string;
  authorization: string;
  body: () => string | Promise<string>;
}

interface ApiAnswer {
  status: number;
  body: unknown;
  type?: string;
}

/** Responses of the MKE 3 API stand-in. Simpler than the original: one administrator, read-only, fixed accounts. */
export class Mke3Answers {
  readonly #options: ApiState;
  /** Oldest first. */
  #tokens: string[] = [];

  constructor(options: ApiState) {
    this.#options = options;
  }

  async answer(request: ApiRequest): Promise<ApiAnswer> {
    const path = request.url.split('?')[0] ?? '/';
    if (!this.#options.isUp()) return { status: 503, body: { message: 'no healthy manager' } };
    if (path === '/_ping') return { status: 200, body: 'OK', type: 'text/plain' };
    if (path === '/ca') return { status: 200, body: this.#options.certificate, type: 'text/plain' };
    if (path === '/auth/login' && request.method === 'POST')
      return this.#login(await request.body());
    if (!this.#tokens.includes(/^Bearer (.+)$/.exec(request.authorization)?.[1] ?? '')) {
      return { status: 401, body: { message: 'unauthorized' } };
    }
    return this.#authorized(path, request);
  }

  async #authorized(path: string, { method, url }: ApiRequest): Promise<ApiAnswer> {
    if (method !== 'GET') return { status: 405, body: { message: 'the stand-in is read-only' } };
    if (/^\/apis?\/(?!ucp\/)/.test(path)) {
      const body = this.#options.kubernetes?.(path) ?? kubernetesDefaults(path);
      return body === undefined
        ? {
            status: 404,
            body: { kind: 'Status', message: 'the server could not find the requested resource' },
          }
        : { status: 200, body: pageOf(body, url) };
    }
    if (/^\/accounts\/[^/]+\/publicKeys$/.test(path))
      return { status: 200, body: { nextPageStart: '', accountPublicKeys: [] } };
    switch (path) {
      // Part of the Kubernetes API, which has its own port in MKE 3.
      case '/metrics':
        return { status: 200, body: METRICS, type: 'text/plain' };
      case '/api/ucp/config-toml':
        return { status: 200, body: this.#options.toml(), type: 'application/toml' };
      case '/nodes':
        return { status: 200, body: await this.#options.nodes() };
      case '/enzi/v0/config/auth':
        return { status: 200, body: { backend: 'managed' } };
      case '/version':
        return { status: 200, body: { Version: 'ucp/3.7.16' } };
      case '/id/':
        return { status: 200, body: { name: LAB_ADMIN.username, isAdmin: true } };
      case '/accounts/':
        return {
          status: 200,
          body: {
            usersCount: 3,
            orgsCount: 2,
            resourceCount: 5,
            nextPageStart: '',
            accounts: accounts,
          },
        };
      case '/accounts/ops/teams':
        return {
          status: 200,
          body: {
            nextPageStart: '',
            teams: [
              { id: idOf('ops/night'), name: 'night' },
              { id: idOf('ops/day'), name: 'day' },
            ],
          },
        };
      case '/accounts/docker-datacenter/teams':
        return { status: 200, body: { nextPageStart: '', teams: [] } };
      default:
        return { status: 404, body: { message: `the stand-in does not implement ${path}` } };
    }
  }

  #login(body: string): ApiAnswer {
    try {
      const { username, password } = JSON.parse(body) as Record<string, unknown>;
      if (username === LAB_ADMIN.username && password === LAB_ADMIN.password) {
        const token = this.#options.token();
        this.#tokens = [...this.#tokens, token].slice(-SESSIONS);
        return { status: 200, body: { auth_token: token } };
      }
    } catch {
      return { status: 400, body: { message: 'the body is not JSON' } };
    }
    return { status: 401, body: { message: 'unauthorized: username or password is wrong' } };
  }
}

/** A reproducible ID in the format of MKE 3. */
const idOf = (name: string): string =>
  createHash('md5')
    .update(name)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const accounts = [
  { name: 'admin', isAdmin: true, isOrg: false, isActive: true },
  { name: 'mika', isAdmin: false, isOrg: false, isActive: true },
  { name: 'sam', isAdmin: false, isOrg: false, isActive: true },
  { name: 'docker-datacenter', isAdmin: false, isOrg: true, isActive: true },
  { name: 'ops', isAdmin: false, isOrg: true, isActive: true },
].map((account) => ({ id: idOf(account.name), ...account }));
