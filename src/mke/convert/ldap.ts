import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Unconverted } from './types.ts';

const KEY = 'auth.ldap';

/** Settings of MKE 3 without a counterpart. They are reported unless they have their default value. */
const dropped: Record<string, string> = {
  additionalDomains: 'MKE 4 supports one LDAP server',
  adminSyncOpts: 'MKE 4 does not synchronize administrators',
  syncSchedule: 'MKE 4 does not synchronize accounts',
  jitUserProvisioning: 'MKE 4 always queries the LDAP server',
  noSimplePagination: 'MKE 4 has no such setting',
};

interface Part {
  ldap: JsonObject;
  unconverted: Unconverted[];
}

/**
 * Converts the LDAP settings that `GET /enzi/v0/config/auth/ldap` returns to `authentication.ldap` of MKE 4. The API
 * never returns the bind password.
 * @param password the bind password, if it is known
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
        'the MKE 4 field is not documented',
        'use ldaps:// in authentication.ldap.host',
      ),
    );
  if (textOf(source, 'rootCerts') !== undefined)
    unconverted.push(
      entry(
        'rootCerts',
        '(PEM)',
        'MKE 4 expects a file that its login service can read',
        'store the certificates in a file and set authentication.ldap.rootCA to its path',
      ),
    );
  if (source['tlsSkipVerify'] === true)
    unconverted.push(
      entry(
        'tlsSkipVerify',
        true,
        'MKE 4 verifies certificates',
        'set authentication.ldap.rootCA to a file with the CA certificate',
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
    'MKE 3 does not export it',
    'set authentication.ldap.bindPW before you apply the configuration',
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
    'MKE 4 supports one user search',
    'widen authentication.ldap.userSearch so that it finds all users',
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

/** A list from the API is unset only if it is empty: unlike in the TOML, its items were all made by an operator. */
function isUnset(value: JsonValue): boolean {
  if (value === null || value === false || value === '' || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every(isUnset);
}
