import type { HttpRequest, HttpResponse } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Admission } from './webhooks.ts';

export interface ApiAccess {
  /** `https://host:port`, without a path. */
  url: string;
  username: string;
  password: string;
  /** PEM that the server's certificate must chain to. */
  ca: string | undefined;
}

/** The arguments by which modules reach the API. */
export const accessProperties = {
  url: {
    type: 'string',
    pattern: '^https://',
    description: 'Address of the MKE 3 API, such as https://mke.example.com.',
  },
  username: { type: 'string', minLength: 1, description: 'An administrator of MKE 3.' },
  password: { type: 'string', minLength: 1, description: 'The password.' },
  ca: { type: 'string', description: 'PEM that the certificate of the API must chain to.' },
} as const;

export type Send = (request: HttpRequest) => Promise<HttpResponse>;

const TIMEOUT_MS = 30_000;
/** Objects of Kubernetes in one answer: those of 500 pods have a few megabytes. */
const PAGE = 500;
const MOST_PAGES = 100;

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
 * Sessions of this process, by URL, user and password. MKE 3 keeps ten sessions per user and ends the oldest, so a login per
 * node would end the sessions of other nodes and of the administrator.
 */
const sessions = new Map<string, Promise<string>>();

/** The MKE 3 API, reads only. */
export class Mke3Client {
  readonly #access: ApiAccess;
  readonly #send: Send;
  readonly #key: string;

  constructor(access: ApiAccess, send: Send) {
    this.#access = access;
    this.#send = send;
    this.#key = JSON.stringify([access.url, access.username, access.password]);
  }

  /** Begins a session, in place of one that this process has. @throws TaskError if MKE 3 refuses the user. */
  async login(): Promise<void> {
    await this.#begin();
  }

  /** The token of a new session. Whoever asks meanwhile gets the same, and a failed login is not kept. */
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
      throw new TaskError(`MKE 3 does not let "${username}" in: ${messageIn(response.body)}.`, {
        hint: 'Check --mke3-admin-username and the password.',
      });
    }
    const token = asObject(this.#json(response, '/auth/login'))['auth_token'];
    if (typeof token !== 'string') throw new TaskError('The login of MKE 3 gave no token.');
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

  /** LDAP settings; undefined where accounts are managed by MKE itself. The reader's password is not among them. */
  async ldap(): Promise<JsonObject | undefined> {
    const { backend } = asObject(await this.#getJson('/enzi/v0/config/auth'));
    return backend === 'ldap'
      ? asObject(await this.#getJson('/enzi/v0/config/auth/ldap'))
      : undefined;
  }

  /** What decides about requests to Kubernetes, from its API, which MKE serves under its own address. */
  async admission(): Promise<Admission> {
    const configurations = '/apis/admissionregistration.k8s.io/v1';
    return {
      validating: await this.#getJson(`${configurations}/validatingwebhookconfigurations`),
      mutating: await this.#getJson(`${configurations}/mutatingwebhookconfigurations`),
      endpointSlices: await this.#getJson('/apis/discovery.k8s.io/v1/endpointslices'),
      kubeSystem: await this.#getJson('/api/v1/namespaces/kube-system'),
    };
  }

  /** Pods of a node, from the Kubernetes API. */
  async pods(node: string): Promise<JsonObject[]> {
    const selector = encodeURIComponent(`spec.nodeName=${node}`);
    const list = asObject(await this.#getJson(`/api/v1/pods?fieldSelector=${selector}`));
    if (!Array.isArray(list['items']))
      throw new TaskError(`MKE 3 did not answer /api/v1/pods with a list of pods.`);
    return list['items'].map(asObject);
  }

  /** Accounts and teams, all pages. */
  async accounts(): Promise<{ users: string[]; orgs: string[]; teams: string[] }> {
    const { users, orgs, teams } = await this.directory();
    const names = (accounts: readonly Account[]) => accounts.map(({ name }) => name);
    return { users: names(users), orgs: names(orgs), teams: names(teams) };
  }

  /** Accounts and teams with their ids. Names of teams are `ORG/TEAM`. */
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

  /** How many client bundles a user has. */
  async bundles(user: string): Promise<number> {
    const path = `/accounts/${encodeURIComponent(user)}/publicKeys`;
    const lists = Object.values(asObject(await this.#getJson(path))).filter(Array.isArray);
    return lists[0]?.length ?? 0;
  }

  /** Objects of a list of Kubernetes, all pages. @throws TaskError if the list is longer than any real one. */
  async objects(path: string, query: Record<string, string> = {}): Promise<JsonObject[]> {
    const all: JsonObject[] = [];
    let after = '';
    for (let page = 0; page < MOST_PAGES; page++) {
      const next = after === '' ? {} : { continue: after };
      const words = new URLSearchParams({ ...query, limit: String(PAGE), ...next });
      const list = asObject(await this.#getJson(`${path}?${words.toString()}`));
      if (!Array.isArray(list['items']))
        throw new TaskError(`MKE 3 did not answer ${path} with a list.`);
      for (const item of list['items']) all.push(asObject(item));
      const more = asObject(list['metadata'])['continue'];
      if (typeof more !== 'string' || more === '') return all;
      after = more;
    }
    throw new TaskError(`The list ${path} has more than ${String(MOST_PAGES * PAGE)} objects.`);
  }

  async object(path: string): Promise<JsonObject> {
    return asObject(await this.#getJson(path));
  }

  /** Metrics of the API of Kubernetes, which MKE does not serve under its own address. */
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
        `The API of Kubernetes answered /metrics with status ${String(response.status)}.`,
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
      // Expired, or ended because the user has too many. Of several requests that find this, one logs in again.
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
        `MKE 3 answered ${path} with status ${String(status)} and no JSON: ${body.slice(0, 200)}`,
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
    // Not JSON: show the text itself.
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
