import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configToYaml } from '../../../src/mke/convert/yaml.ts';
import { convert, dump, kdd } from '../../helpers/mke3-config.ts';

describe('the YAML of a configuration', () => {
  it('reads back as the same configuration', () => {
    const { config } = convert(dump);
    expect(parse(configToYaml(config))).toEqual(JSON.parse(JSON.stringify(config)));
  });

  it('leaves the password out unless secrets are wanted', () => {
    const { config } = convert(`${kdd}[auth]\nbackend = "ldap"\n`, {
      ldap: { readerDN: 'cn=reader', serverURL: 'ldaps://ad.example.com:1636' },
      ldapPassword: 'Tr0ub4dor',
    });
    expect(configToYaml(config)).toContain('Tr0ub4dor');
    expect(configToYaml(config, { withSecrets: false })).not.toContain('Tr0ub4dor');
    expect(config).toMatchObject({
      spec: { authentication: { ldap: { host: 'ad.example.com:1636' } } },
    });
  });
});
