import type { HttpRequest, HttpResponse } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Admission } from './webhooks.ts';

export interface ApiAccess {
  /** `https://host:port`, without a path. */
  url: string;
  username: string;
  password: string;
  /** CA certificates in PEM that the server's certificate must chain to. */
  ca: string | undefined;
}

/** Arguments of modules that connect to the API. */
export const accessProperties = {
  url: {
    type: 'string',
    pattern: '^https://',
    description: 'URL of the MKE 3 API, such as https://mke.example.com.',
  },
  username: { type: 'string', minLength: 1, description: 'User name of an MKE 3 administrator.' },
  password: { type: 'string', minLength: 1, description: 'Password of the administrator.' },
  ca: {
    type: 'string',
    description: 'CA certificates in PEM that the certificate of the API must chain to.',
  },
} as const;

export type Send = (request: HttpRequest) => Promise<HttpResponse>;

const TIMEOUT_MS = 30_000;
/** Kubernetes objects per request: 500 pods are a few megabytes. */
const PAGE = 500;
const MAX_PAGES = 100;

export interface Account {
  id: string;
  name: string;
}

export interface Directory {
  users: Account[];
  orgs: Account[];
  teams: Account[];
}

/**
 * Sessions of this process, by URL, user and password. MKE 3 allows ten sessions per user and ends the oldest, so one login
 * per node would end the sessions of other nodes and of the administrator.
 */
const sessions = new Map<string, Promise<string>>();

/** Read-only client of the MKE 3 API. */
export class Mke3Client {
  readonly #access: ApiAccess;
  readonly #send: Send;
  readonly #key: string;

  constructor(access: ApiAccess, send: Send) {
    this.#access = access;
    this.#send = send;
    this.#key = JSON.stringify([access.url, access.username, access.password]);
  }

  /** Starts a new session, which replaces an existing one of this process. @throws TaskError if the login fails */
  async login(): Promise<void> {
    await this.#begin();
  }

  /** Logs in and returns the token. Concurrent callers share the login; a failed login is not cached. */
  #begin(): Promise<string> {
    const session = this.#newToken();
    sessions.set(this.#key, session);
    session.catch(() => {
      if (sessions.get(this.#key) === session) sessions.delete(this.#key);
    });
    return session;
  }

  async #newToken(): Promise<string> {
    const { username, password } = this.#access;
    const body = JSON.stringify({ username, password });
    const response = await this.#request('POST', '/auth/login', { body });
    if (response.status === 401 || response.status === 403) {
      throw new TaskError(
        `MKE 3 rejected the login of "${username}": ${messageIn(response.body)}.`,
        {
          hint: 'Check --mke3-admin-username and the password.',
        },
      );
    }
    const token = asObject(this.#json(response, '/auth/login'))['auth_token'];
    if (typeof token !== 'string') throw new TaskError('MKE 3 returned no token for the login.');
    return token;
  }

  async configToml(): Promise<string> {
    return (await this.#get('/api/ucp/config-toml', 'application/toml')).body;
  }

  /** @throws TaskError if the user is not an administrator */
  async requireAdmin(): Promise<void> {
    if (asObject(await this.#getJson('/id/'))['isAdmin'] !== true)
      throw new TaskError(`"${this.#access.username}" is not an administrator of MKE 3.`, {
        hint: 'Check --mke3-admin-username.',
      });
  }

  async nodes(): Promise<JsonObject[]> {
    return asList(await this.#getJson('/nodes')).map(asObject);
  }

  /** LDAP settings, without the bind password; undefined if MKE itself manages the accounts. */
  async ldap(): Promise<JsonObject | undefined> {
    const { backend } = asObject(await this.#getJson('/enzi/v0/config/auth'));
    return backend === 'ldap'
      ? asObject(await this.#getJson('/enzi/v0/config/auth/ldap'))
      : undefined;
  }

  /** Objects that affect admission, from the Kubernetes API, which MKE serves at its own address. */
  async admission(): Promise<Admission> {
    const configurations = '/apis/admissionregistration.k8s.io/v1';
    return {
      validating: await this.#getJson(`${configurations}/validatingwebhookconfigurations`),
      mutating: await this.#getJson(`${configurations}/mutatingwebhookconfigurations`),
      endpointSlices: await this.#getJson('/apis/discovery.k8s.io/v1/endpointslices'),
      kubeSystem: await this.#getJson('/api/v1/namespaces/kube-system'),
    };
  }

  /** The pods of a node, from the Kubernetes API. */
  async pods(node: string): Promise<JsonObject[]> {
    const selector = encodeURIComponent(`spec.nodeName=${node}`);
    const list = asObject(await this.#getJson(`/api/v1/pods?fieldSelector=${selector}`));
    if (!Array.isArray(list['items']))
      throw new TaskError(`MKE 3 did not return a list of pods for /api/v1/pods.`);
    return list['items'].map(asObject);
  }

  /** Names of all accounts and teams. */
  async accounts(): Promise<{ users: string[]; orgs: string[]; teams: string[] }> {
    const { users, orgs, teams } = await this.directory();
    const names = (accounts: readonly Account[]) => accounts.map(({ name }) => name);
    return { users: names(users), orgs: names(orgs), teams: names(teams) };
  }

  /** All accounts and teams, with their IDs. Team names have the form `ORG/TEAM`. */
  async directory(): Promise<Directory> {
    const accounts = await this.#pages('/accounts/?filter=all', 'accounts');
    const own = (isOrg: boolean) =>
      accounts.filter((one) => one['isOrg'] === isOrg).map((one) => accountOf(one));
    const orgs = own(true);
    const teams: Account[] = [];
    for (const { name } of orgs) {
      const found = await this.#pages(`/accounts/${encodeURIComponent(name)}/teams?`, 'teams');
      teams.push(...found.map((one) => accountOf(one, `${name}/`)));
    }
    return { users: own(false), orgs, teams };
  }

  /** Number of client bundles of a user. */
  async bundles(user: string): Promise<number> {
    const path = `/accounts/${encodeURIComponent(user)}/publicKeys`;
    const lists = Object.values(asObject(await this.#getJson(path))).filter(Array.isArray);
    return lists[0]?.length ?? 0;
  }

  /** All objects of a Kubernetes list. @throws TaskError if there are more than 50,000 */
  async objects(path: string, query: Record<string, string> = {}): Promise<JsonObject[]> {
    const all: JsonObject[] = [];
    let after = '';
    for (let page = 0; page < MAX_PAGES; page++) {
      const next = after === '' ? {} : { continue: after };
      const words = new URLSearchParams({ ...query, limit: String(PAGE), ...next });
      const list = asObject(await this.#getJson(`${path}?${words.toString()}`));
      if (!Array.isArray(list['items']))
        throw new TaskError(`MKE 3 did not return a list for ${path}.`);
      for (const item of list['items']) all.push(asObject(item));
      const more = asObject(list['metadata'])['continue'];
      if (typeof more !== 'string' || more === '') return all;
      after = more;
    }
    throw new TaskError(
      `The list ${path} has more than ${String(MAX_PAGES * PAGE)} objects, the maximum that runner reads.`,
    );
  }

  async object(path: string): Promise<JsonObject> {
    return asObject(await this.#getJson(path));
  }

  /** Metrics of the Kubernetes API, which MKE does not serve at its own address. */
  async metrics(kubernetes: string): Promise<string> {
    const token = await (sessions.get(this.#key) ?? this.#begin());
    const { ca } = this.#access;
    const response = await this.#send({
      method: 'GET',
      url: `${kubernetes}/metrics`,
      timeoutMs: TIMEOUT_MS,
      headers: { accept: 'text/plain', authorization: `Bearer ${token}` },
      ...(ca === undefined ? {} : { ca }),
    });
    if (response.status !== 200)
      throw new TaskError(
        `The Kubernetes API answered /metrics with status ${String(response.status)}.`,
      );
    return response.body;
  }

  async #pages(path: string, key: string): Promise<JsonObject[]> {
    const all: JsonObject[] = [];
    let start = '';
    do {
      const page = asObject(
        await this.#getJson(
          `${path}&limit=1000${start === '' ? '' : `&start=${encodeURIComponent(start)}`}`,
        ),
      );
      all.push(...asList(page[key]).map(asObject));
      const next = page['nextPageStart'];
      start = typeof next === 'string' && next !== start ? next : '';
    } while (start !== '');
    return all;
  }

  async #getJson(path: string): Promise<JsonValue> {
    return this.#json(await this.#get(path, 'application/json'), path);
  }

  async #get(path: string, accept: string): Promise<HttpResponse> {
    const session = sessions.get(this.#key) ?? this.#begin();
    let response = await this.#request('GET', path, { accept, token: await session });
    if (response.status === 401) {
      // The session expired, or MKE 3 ended it because the user has too many. Concurrent requests share one new login.
      const current = sessions.get(this.#key);
      const token = await (current === undefined || current === session ? this.#begin() : current);
      response = await this.#request('GET', path, { accept, token });
    }
    if (response.status !== 200) {
      throw new TaskError(
        `MKE 3 answered ${path} with status ${String(response.status)}: ${messageIn(response.body)}.`,
      );
    }
    return response;
  }

  #request(
    method: 'GET' | 'POST',
    path: string,
    {
      body,
      token,
      accept = 'application/json',
    }: { body?: string; token?: string; accept?: string },
  ): Promise<HttpResponse> {
    const { url, ca } = this.#access;
    return this.#send({
      method,
      url: `${url}${path}`,
      headers: {
        accept,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      timeoutMs: TIMEOUT_MS,
      ...(body === undefined ? {} : { body }),
      ...(ca === undefined ? {} : { ca }),
    });
  }

  #json({ status, body }: HttpResponse, path: string): JsonValue {
    try {
      return JSON.parse(body) as JsonValue;
    } catch (error) {
      throw new TaskError(
        `MKE 3 answered ${path} with status ${String(status)}, but not with JSON: ${body.slice(0, 200)}`,
        { cause: error },
      );
    }
  }
}

function messageIn(body: string): string {
  try {
    const value = JSON.parse(body) as JsonValue;
    if (isJsonObject(value) && typeof value['message'] === 'string') return value['message'];
  } catch {
    // The body is not JSON: show it as it is.
  }
  return body.slice(0, 200);
}

function accountOf({ id, name }: JsonObject, before = ''): Account {
  return { id: typeof id === 'string' ? id : '', name: `${before}${String(name)}` };
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function asList(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}
