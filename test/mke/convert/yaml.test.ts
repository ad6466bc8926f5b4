import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configToYaml } from '../../../src/mke/convert/yaml.ts';
import { schemaProblems } from '../../../src/mke/mke4-schema.ts';
import { convert, dump, kdd } from '../../helpers/mke3-config.ts';

describe('the YAML of a configuration', () => {
  it('parses to the same configuration', () => {
    const { config } = convert(dump);
    expect(parse(configToYaml(config))).toEqual(JSON.parse(JSON.stringify(config)));
  });

  it.each(['4.0', '4.1'] as const)(
    'has the sections of mkectl, in the same order (%s)',
    (target) => {
      const { config } = convert(dump, { target });
      const spec = Object.keys(
        (parse(configToYaml(config)) as { spec: Record<string, unknown> }).spec,
      );
      expect(spec).toEqual([...spec].sort());
      expect(spec).toEqual(expect.arrayContaining(['license', 'kubelet', 'network', 'version']));
      expect(spec.includes('gatewayMKEIngress')).toBe(target === '4.1');
      expect(schemaProblems(config)).toEqual([]);
    },
  );

  it.each(['4.0', '4.1'] as const)('has all keys in the order of mkectl (%s)', (target) => {
    const unsorted: string[][] = [];
    const { config } = convert(dump, {
      target,
      hosts: [{ role: 'manager', address: '10.0.0.1', port: 22, user: 'u', keyPath: 'k' }],
    });
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      const keys = Array.isArray(value) ? [] : Object.keys(value);
      if (keys.join() !== [...keys].sort().join()) unsorted.push(keys);
      for (const one of Object.values(value)) visit(one);
    };
    visit(parse(configToYaml(config)));
    expect(unsorted).toEqual([]);
  });

  it.each(['4.0', '4.1'] as const)('has no trailing whitespace (%s)', (target) => {
    const saml = '[auth]\nsamlEnabled = true\n[auth.saml]\nrootCerts = "a \\n \\nb"\n';
    for (const toml of [dump, `${kdd}${saml}`]) {
      const { config } = convert(toml, { target });
      const text = configToYaml(config);
      expect(text.split('\n').filter((line) => /\s$/.test(line))).toEqual([]);
      expect(parse(text)).toEqual(JSON.parse(JSON.stringify(config)));
    }
  });

  it('contains the password only if secrets are requested', () => {
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
