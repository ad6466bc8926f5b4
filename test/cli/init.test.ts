import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../src/util/package.ts';
import { Cli } from '../helpers/cli.ts';

const dump = join(packageRoot(), 'src', 'lab', 'mke3-config.toml');

let cli: Cli;
beforeEach(() => {
  cli = new Cli({ MKE3_LDAP_PASSWORD: 'Tr0ub4dor' });
});
afterEach(() => {
  cli.dispose();
});

describe('runner init', () => {
  it('prints the default configuration of MKE 4.0 and of MKE 4.1', async () => {
    for (const [target, version] of [
      ['4.0', 'v4.0.0'],
      ['4.1', 'v4.1.5'],
    ]) {
      const { code, stdout, stderr } = await cli.run(['init', '--target', target ?? '']);
      expect(code, stderr).toBe(0);
      expect(parse(stdout)).toMatchObject({ kind: 'MkeConfig', spec: { version } });
    }
  });

  it('writes secrets only to a new file with mode 0600, never to standard output', async () => {
    const ldap = cli.file('ldap.json', '{"serverURL":"ldaps://l.example.com","readerDN":"cn=r"}');
    const args = ['init', '--mke3-config', dump, '--mke3-ldap', ldap];
    const printed = await cli.run(args);
    expect(printed.code).toBe(0);
    expect(printed.stdout + printed.stderr).not.toContain('Tr0ub4dor');
    expect(printed.stderr).toContain('Secrets were left out. Use --output FILE to include them.');
    const file = join(cli.dir, 'mke4.yaml');
    expect((await cli.run([...args, '--output', file])).code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
      spec: { authentication: { ldap: { host: 'l.example.com:636', bindPW: 'Tr0ub4dor' } } },
    });
    const again = await cli.run([...args, '--output', file]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('already exists');
  });

  it('reports how each MKE 3 setting is converted, and refuses unsupported settings', async () => {
    const text = await cli.run(['init', '--mke3-config', dump, '--report']);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^MKE3->MKE4 Compatibility Checks\n/);
    const json = await cli.run(['init', '--mke3-config', dump, '--report', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      supported: { cluster_config: { pod_cidr: '192.168.0.0/16' } },
      refusals: [],
    });
    const bad = cli.file(
      'ipvs.toml',
      '[cluster_config]\ncalico_kdd = true\nkube_proxy_mode = "ipvs"\n',
    );
    const refused = await cli.run(['init', '--mke3-config', bad, '--report', 'json']);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      unsupported: { cluster_config: { kube_proxy_mode: 'ipvs' } },
      refusals: [{ key: 'cluster_config.kube_proxy_mode' }],
    });
  });

  it.each([
    ['false', 'calico_kdd = false', /calico_kdd = false: Calico keeps its data outside.*3\.7\.15/],
    ['absent', 'pod_cidr = "10.1.0.0/16"', /calico_kdd = \(absent\): only MKE 3\.7\.12.*3\.7\.15/],
    [
      'ipvs',
      'calico_kdd = true\nkube_proxy_mode = "ipvs"',
      /kube_proxy_mode = ipvs: MKE 4 supports/,
    ],
  ])(
    'converts a configuration that the upgrade refuses, with a warning (%s)',
    async (_, toml, text) => {
      const file = cli.file('mke3.toml', `[cluster_config]\n${toml}\n`);
      const { code, stdout, stderr } = await cli.run(['init', '--mke3-config', file]);
      expect(code).toBe(0);
      expect(parse(stdout)).toMatchObject({ kind: 'MkeConfig' });
      expect(stderr).toMatch(/^warning: the upgrade refuses: cluster_config\./m);
      expect(stderr).toMatch(text);
    },
  );

  it('reports flags that stop the upgrade, and accepts --leave-out', async () => {
    const toml = cli.file(
      'flags.toml',
      '[cluster_config]\ncalico_kdd = true\ncustom_kube_api_server_flags = ["--kubelet-https=true"]\n',
    );
    const args = ['init', '--mke3-config', toml];
    const report = await cli.run([...args, '--report', 'json']);
    expect(report.code).toBe(1);
    expect(JSON.parse(report.stdout)).toMatchObject({
      stops: [{ key: 'cluster_config.custom_kube_api_server_flags' }],
    });
    const printed = await cli.run(args);
    expect(printed.code).toBe(0);
    expect(printed.stderr).toContain('stops the upgrade: cluster_config.custom_kube_api_server');
    const left = await cli.run([...args, '--report', 'json', '--leave-out', 'kubelet-https']);
    expect(left.code).toBe(0);
    expect(JSON.parse(left.stdout)).toMatchObject({ stops: [] });
  });

  it.each([
    [['--target', '5.0'], /Allowed choices are 4\.0, 4\.1/],
    [['--report'], /requires --mke3-config/],
    [['--image-registry', 'r.example.com/mke'], /Add --target 4\.1/],
    [['--target', '4.1', '--chart-registry', 'r.example.com/mke'], /must start with "oci:\/\/"/],
    [['--target', '4.1', '--image-registry', 'r.example.com/mke/'], /must not end with "\/"/],
    [['--mke3-config', '/nowhere.toml'], /Cannot read "\/nowhere\.toml"/],
    [['--mke3-ldap', dump], /is not JSON/],
    [['--mke3-config', '/dev/null'], /\/dev\/null:1:1: The file is empty.*\n.*auth\/login/],
  ])('refuses the arguments %j', async (args, message) => {
    const { code, stderr, stdout } = await cli.run(['init', ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
  });
});
