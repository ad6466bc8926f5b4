import { describe, expect, it } from 'vitest';
import { shownValue, withoutSecrets } from '../../../src/mke/convert/values.ts';

describe('the displayed value of a setting', () => {
  it.each([
    ['auth.samlProxy.credentials.basic.password', 'hunter2', '(secret)'],
    ['auth.scim.token', 'abc', '(secret)'],
    ['backup_schedule_config.passphrase', 'long words', '(secret)'],
    ['auth.external_identity_provider.httpProxy', 'http://u:pw@p:3128', 'http://u:(secret)@p:3128'],
    ['auth.samlProxy.proxy_url', 'http://p:3128/a@b', 'http://p:3128/a@b'],
    ['auth.managedPasswordDisabled', true, 'true'],
    ['auth.managedPasswordFallbackUser', 'breakglass', 'breakglass'],
    ['auth.sessions.store_token_per_session', true, 'true'],
    ['backup_schedule_config.no_passphrase', true, 'true'],
    ['cluster_config.secrets_encryption_provider', 'aesgcm', 'aesgcm'],
    ['cluster_config.pre_logon_message', 'one\ntwo\n', String.raw`one\ntwo`],
    ['list', [{ name: 'a', password: 'b' }], '[{"name":"a","password":"(secret)"}]'],
  ])('masks only secrets, and is one line: %s', (key, value, shown) => {
    expect(shownValue(key, value)).toBe(shown);
  });

  it('is empty for a setting without a value', () => {
    expect(withoutSecrets('auth.scim.token', '')).toBe('');
  });
});
