import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Unconverted } from './convert.ts';

const KEY = 'auth.ldap';

/** Settings of MKE 3 without a counterpart (mke-upgrade.md §7.6), and what nobody chose. */
const dropped: Record<string, string> = {
  additionalDomains: 'MKE 4 knows one server',
  adminSyncOpts: 'MKE 4 does not synchronize administrators',
  syncSchedule: 'MKE 4 does not synchronize accounts',
  jitUserProvisioning: 'MKE 4 always asks the server',
  noSimplePagination: 'MKE 4 has no such setting',
};

/**
 * LDAP settings as `GET /enzi/v0/config/auth/ldap` gives them, as `authentication.ldap` of MKE 4. The password of the
 * reader is never given.
 * @param password that password, when it is known
 */
export function convertLdap(
  source: JsonObject,
  password: string | undefined,
): { ldap: JsonObject; unconverted: Unconverted[] } {
  const unconverted: Unconverted[] = [];
  const report = (key: string, value: JsonValue, why: string, what: string): void => {
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    unconverted.push({ key: `${KEY}.${key}`, value: shown, why, what });
  };
  const text = (from: JsonObject, key: string): string | undefined => {
    const value = from[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const ldap: JsonObject = { enabled: true };
  const url = text(source, 'serverURL');
  const [, scheme, host, port] = /^(ldaps?):\/\/([^:/]+)(?::(\d+))?\/?$/.exec(url ?? '') ?? [];
  if (host === undefined) {
    report(
      'serverURL',
      url ?? '',
      'it is not of the form ldap://HOST:PORT',
      'set authentication.ldap.host by hand',
    );
  } else {
    const plain = scheme === 'ldap';
    ldap['host'] = `${host}:${port ?? (plain ? '389' : '636')}`;
    if (plain && source['startTLS'] !== true) ldap['insecureNoSSL'] = true;
    if (plain && source['startTLS'] === true)
      report(
        'startTLS',
        true,
        'the field of MKE 4 is not published',
        'prefer ldaps:// for authentication.ldap.host',
      );
  }
  if (text(source, 'rootCerts') !== undefined)
    report(
      'rootCerts',
      '(PEM)',
      'MKE 4 wants a file that its login service can read',
      'store it and name it in authentication.ldap.rootCA',
    );
  if (source['tlsSkipVerify'] === true)
    report(
      'tlsSkipVerify',
      true,
      'MKE 4 checks certificates',
      'name the authority in authentication.ldap.rootCA',
    );
  const bindDN = text(source, 'readerDN');
  if (bindDN !== undefined) {
    ldap['bindDN'] = bindDN;
    ldap['bindPW'] = password ?? '';
    if (password === undefined)
      report(
        'readerPassword',
        '(secret)',
        'MKE 3 never shows it',
        'fill authentication.ldap.bindPW in before applying',
      );
  }
  const searches = Array.isArray(source['userSearchConfigs']) ? source['userSearchConfigs'] : [];
  const [first, ...more] = searches.filter(isJsonObject);
  if (first) {
    const filter = text(first, 'filter');
    const username = text(first, 'usernameAttr');
    const name = text(first, 'fullNameAttr');
    ldap['userSearch'] = {
      baseDN: text(first, 'baseDN') ?? '',
      ...(filter === undefined ? {} : { filter: /^\(.*\)$/.test(filter) ? filter : `(${filter})` }),
      ...(username === undefined ? {} : { username }),
      idAttr: 'DN',
      emailAttr: 'mail',
      ...(name === undefined ? {} : { nameAttr: name }),
    };
  }
  if (more.length > 0)
    report(
      'userSearchConfigs',
      more.map((one) => text(one, 'baseDN') ?? ''),
      'MKE 4 has one user search',
      'widen authentication.ldap.userSearch so that it finds them all',
    );
  for (const [key, why] of Object.entries(dropped)) {
    const value = source[key];
    const chosen = value !== undefined && !isOff(value);
    if (chosen) report(key, value, why, 'check the logins after the upgrade');
  }
  return { ldap, unconverted };
}

function isOff(value: JsonValue): boolean {
  if (value === null || value === false || value === '' || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every(isOff);
}
