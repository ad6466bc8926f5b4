import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage } from 'node:http';

export const LAB_ADMIN = { username: 'admin', password: 'lab-admin-password' };

/** Sessions that MKE 3 keeps for a user, unless `auth.sessions.per_user_limit` says otherwise. */
const SESSIONS = 10;

interface ApiOptions {
  certificate: { cert: string; key: string };
  toml: string;
  /** Nodes of the Swarm, as the engine's API gives them. */
  nodes: () => unknown[] | Promise<unknown[]>;
  /** What Kubernetes answers to a path below "/api" and "/apis"; undefined for what it does not have. Empty lists when left out. */
  kubernetes?: (path: string) => unknown;
  /** Whether `ucp-controller` runs somewhere. */
  isUp: () => boolean;
  /** Where to listen; any free port of the loopback interface when left out. */
  at?: { address: string; port: number };
}

type Answer = { status: number; body: unknown; type?: string };

/** Stands for the MKE 3 API. Simpler than the original: one admin, reads only, made-up accounts. */
export class Mke3Api {
  readonly #server: Server;
  readonly #options: ApiOptions;
  /** Oldest first. */
  #tokens: string[] = [];
  port = 0;
  /** The configuration, which an operator may change. */
  toml: string;

  private constructor(options: ApiOptions) {
    this.#options = options;
    this.toml = options.toml;
    this.#server = createServer(options.certificate, (request, response) => {
      void this.#handle(request).then(({ status, body, type }) => {
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        response.writeHead(status, { 'content-type': type ?? 'application/json' }).end(text);
      });
    });
  }

  static start(options: ApiOptions): Promise<Mke3Api> {
    const api = new Mke3Api(options);
    return new Promise((resolve, reject) => {
      api.#server.once('error', reject);
      const { address: host, port } = options.at ?? { address: '127.0.0.1', port: 0 };
      api.#server.listen(port, host, () => {
        const address = api.#server.address();
        if (typeof address === 'object' && address !== null) api.port = address.port;
        resolve(api);
      });
    });
  }

  get address(): string {
    return `127.0.0.1:${String(this.port)}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  async #handle(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (!this.#options.isUp())
      return { status: 503, body: { message: 'no healthy manager behind the load balancer' } };
    if (path === '/_ping') return { status: 200, body: 'OK', type: 'text/plain' };
    if (path === '/ca')
      return { status: 200, body: this.#options.certificate.cert, type: 'text/plain' };
    if (path === '/auth/login' && request.method === 'POST')
      return this.#login(await readBody(request));
    if (
      !this.#tokens.includes(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '')
    ) {
      return { status: 401, body: { message: 'unauthorized' } };
    }
    return this.#authorized(path, request);
  }

  async #authorized(path: string, { method, url }: IncomingMessage): Promise<Answer> {
    if (method !== 'GET') return { status: 405, body: { message: 'the stand-in only reads' } };
    if (/^\/apis?\/(?!ucp\/)/.test(path)) {
      const body = this.#options.kubernetes?.(path) ?? kubernetesDefaults(path);
      return body === undefined
        ? {
            status: 404,
            body: { kind: 'Status', message: 'the server could not find the requested resource' },
          }
        : { status: 200, body: selected(body, url ?? '') };
    }
    switch (path) {
      case '/api/ucp/config-toml':
        return { status: 200, body: this.toml, type: 'application/toml' };
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
          body: { nextPageStart: '', teams: [{ name: 'night' }, { name: 'day' }] },
        };
      case '/accounts/docker-datacenter/teams':
        return { status: 200, body: { nextPageStart: '', teams: [] } };
      default:
        return { status: 404, body: { message: `${path} is not known to the stand-in` } };
    }
  }

  #login(body: string): Answer {
    try {
      const { username, password } = JSON.parse(body) as Record<string, unknown>;
      if (username === LAB_ADMIN.username && password === LAB_ADMIN.password) {
        const token = randomUUID();
        this.#tokens = [...this.#tokens, token].slice(-SESSIONS);
        return { status: 200, body: { auth_token: token } };
      }
    } catch {
      return { status: 400, body: { message: 'the body is not JSON' } };
    }
    return { status: 401, body: { message: 'unauthorized: username or password is wrong' } };
  }
}

/** Objects of a list that a field selector wants; only that for the node of a pod is known. */
function selected(body: unknown, url: string): unknown {
  const selector = new URL(url, 'https://localhost').searchParams.get('fieldSelector');
  if (selector === null) return body;
  const node = /^spec\.nodeName=(.+)$/.exec(selector)?.[1];
  const { items } = body as { items: { spec?: { nodeName?: string } }[] };
  return { items: items.filter(({ spec }) => spec?.nodeName === node) };
}

/** What a cluster without webhooks and pods answers. */
function kubernetesDefaults(path: string): unknown {
  if (path === '/api/v1/namespaces/kube-system')
    return {
      metadata: { name: 'kube-system', labels: { 'kubernetes.io/metadata.name': 'kube-system' } },
    };
  const lists =
    /^\/apis\/(admissionregistration\.k8s\.io\/v1\/(validating|mutating)webhookconfigurations|discovery\.k8s\.io\/v1\/endpointslices)$|^\/api\/v1\/pods$/;
  return lists.test(path) ? { items: [] } : undefined;
}

const accounts = [
  { name: 'admin', isAdmin: true, isOrg: false, isActive: true },
  { name: 'mika', isAdmin: false, isOrg: false, isActive: true },
  { name: 'sam', isAdmin: false, isOrg: false, isActive: true },
  { name: 'docker-datacenter', isAdmin: false, isOrg: true, isActive: true },
  { name: 'ops', isAdmin: false, isOrg: true, isActive: true },
];

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
