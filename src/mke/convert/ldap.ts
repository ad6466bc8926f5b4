import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Unconverted } from './types.ts';

const KEY = 'auth.ldap';

/** Settings of MKE 3 without a counterpart. They are reported unless they have their default value. */
const dropped: Record<string, string> = {
  additionalDomains: 'MKE 4 knows one server',
  adminSyncOpts: 'MKE 4 does not synchronize administrators',
  syncSchedule: 'MKE 4 does not synchronize accounts',
  jitUserProvisioning: 'MKE 4 always asks the server',
  noSimplePagination: 'MKE 4 has no such setting',
};

interface Part {
  ldap: JsonObject;
  unconverted: Unconverted[];
}

/**
 * LDAP settings as `GET /enzi/v0/config/auth/ldap` gives them, as `authentication.ldap` of MKE 4. The password of the
 * reader is never given.
 * @param password that password, when it is known
 */
export function convertLdap(source: JsonObject, password: string | undefined): Part {
  const parts = [
    convertServer(source),
    convertReader(source, password),
    convertSearches(source['userSearchConfigs']),
    reportDropped(source),
  ];
  return {
    ldap: Object.assign({ enabled: true }, ...parts.map((part) => part.ldap)) as JsonObject,
    unconverted: parts.flatMap(({ unconverted }) => unconverted),
  };
}

function convertServer(source: JsonObject): Part {
  const url = textOf(source, 'serverURL');
  const [, scheme, host, port] = /^(ldaps?):\/\/([^:/]+)(?::(\d+))?\/?$/.exec(url ?? '') ?? [];
  const plain = scheme === 'ldap';
  const startTls = source['startTLS'] === true;
  const unconverted: Unconverted[] = [];
  if (host === undefined)
    unconverted.push(
      entry(
        'serverURL',
        url ?? '',
        'it is not of the form ldap://HOST:PORT',
        'set authentication.ldap.host by hand',
      ),
    );
  if (plain && startTls)
    unconverted.push(
      entry(
        'startTLS',
        true,
        'the field of MKE 4 is not published',
        'prefer ldaps:// for authentication.ldap.host',
      ),
    );
  if (textOf(source, 'rootCerts') !== undefined)
    unconverted.push(
      entry(
        'rootCerts',
        '(PEM)',
        'MKE 4 wants a file that its login service can read',
        'store it and name it in authentication.ldap.rootCA',
      ),
    );
  if (source['tlsSkipVerify'] === true)
    unconverted.push(
      entry(
        'tlsSkipVerify',
        true,
        'MKE 4 checks certificates',
        'name the authority in authentication.ldap.rootCA',
      ),
    );
  const ldap: JsonObject = {
    ...(host === undefined ? {} : { host: `${host}:${port ?? (plain ? '389' : '636')}` }),
    ...(plain && !startTls ? { insecureNoSSL: true } : {}),
  };
  return { ldap, unconverted };
}

function convertReader(source: JsonObject, password: string | undefined): Part {
  const bindDN = textOf(source, 'readerDN');
  if (bindDN === undefined) return { ldap: {}, unconverted: [] };
  const missing = entry(
    'readerPassword',
    '(secret)',
    'MKE 3 never shows it',
    'fill authentication.ldap.bindPW in before applying',
  );
  return {
    ldap: { bindDN, bindPW: password ?? '' },
    unconverted: password === undefined ? [missing] : [],
  };
}

function convertSearches(searches: JsonValue | undefined): Part {
  const [first, ...more] = (Array.isArray(searches) ? searches : []).filter(isJsonObject);
  const rest = entry(
    'userSearchConfigs',
    more.map((one) => textOf(one, 'baseDN') ?? ''),
    'MKE 4 has one user search',
    'widen authentication.ldap.userSearch so that it finds them all',
  );
  return {
    ldap: first === undefined ? {} : { userSearch: userSearch(first) },
    unconverted: more.length > 0 ? [rest] : [],
  };
}

function userSearch(source: JsonObject): JsonObject {
  const filter = textOf(source, 'filter');
  const username = textOf(source, 'usernameAttr');
  const name = textOf(source, 'fullNameAttr');
  return {
    baseDN: textOf(source, 'baseDN') ?? '',
    ...(filter === undefined ? {} : { filter: /^\(.*\)$/.test(filter) ? filter : `(${filter})` }),
    ...(username === undefined ? {} : { username }),
    idAttr: 'DN',
    emailAttr: 'mail',
    ...(name === undefined ? {} : { nameAttr: name }),
  };
}

function reportDropped(source: JsonObject): Part {
  const unconverted = Object.entries(dropped).flatMap(([key, why]) => {
    const value = source[key];
    const chosen = value !== undefined && !isUnset(value);
    return chosen ? [entry(key, value, why, 'check the logins after the upgrade')] : [];
  });
  return { ldap: {}, unconverted };
}

function entry(key: string, value: JsonValue, why: string, what: string): Unconverted {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  return { key: `${KEY}.${key}`, value: shown, why, what };
}

function textOf(source: JsonObject, key: string): string | undefined {
  const value = source[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Unlike a list in the TOML, a list of the API has no empty entries that nobody made. */
function isUnset(value: JsonValue): boolean {
  if (value === null || value === false || value === '' || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every(isUnset);
}
