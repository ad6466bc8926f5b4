import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  C,
  cases,
  customPolicy,
  k0sOf,
  settings,
  type Settings,
} from '../helpers/mke3-settings.ts';

const REAL_K0S = process.env['RUNNER_K0S'] ?? '';
it.runIf(REAL_K0S !== '')(
  `a real k0s accepts the configuration with each of them${REAL_K0S === '' ? ' [needs a k0s binary: RUNNER_K0S=FILE]' : ''}`,
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'runner-k0s-'));
    const file = join(dir, 'k0s.yaml');
    const validate = (spec: object): { status: number | null; stderr: string } => {
      const head = { apiVersion: 'k0s.k0sproject.io/v1beta1', kind: 'ClusterConfig' };
      writeFileSync(file, JSON.stringify({ ...head, metadata: { name: 'k0s' }, spec }));
      const args = ['config', 'validate', '--config', file];
      return spawnSync(REAL_K0S, args, { timeout: 30_000, encoding: 'utf8' });
    };
    try {
      // k0s validates most fields strictly, but not the network fields.
      expect(validate({ noSuchField: 1 }).status).not.toBe(0);
      expect(validate({ api: { extraArgs: { profiling: true } } }).status).not.toBe(0);
      for (const [key, all] of Object.entries(cases))
        for (const [value, beside] of all) {
          const { spec } = settings({ ...beside, [key]: value }).k0s;
          const { status, stderr } = validate({
            ...spec,
            api: { ...spec.api, address: '127.0.0.1' },
            network: { ...spec.network, provider: 'calico' },
          });
          expect(status, `${key}: ${stderr}`).toBe(0);
        }
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
  300_000,
);

describe('k0s.yaml', () => {
  it.each([
    ['4GB', '4294967296'],
    ['512MB', '536870912'],
    ['8GiB', '8589934592'],
    ['1048576', '1048576'],
  ])('has the etcd quota %s in bytes', (text, bytes) => {
    expect(k0sOf({ [`${C}.etcd_storage_quota`]: text }).spec.storage.etcd.extraArgs).toEqual({
      'quota-backend-bytes': bytes,
    });
  });

  it.each([
    [1450, {}],
    [1410, { calico_mtu: '1410' }],
    [1400, { calico_vxlan_mtu: '1400' }],
    [8950, { calico_mtu: '8980', calico_vxlan_mtu: '8950' }],
    [1480, { calico_vxlan: false }],
    [1440, { calico_vxlan: false, ipip_mtu: '1440' }],
    [0, { calico_mtu: '0', calico_vxlan_mtu: '0' }],
  ])('has the MTU %i, the smaller of pods and tunnel', (mtu, values: Settings) => {
    const toml = Object.fromEntries(
      Object.entries(values).map(([key, one]) => [`${C}.${key}`, one]),
    );
    expect(k0sOf(toml).spec.network.calico['mtu']).toBe(mtu);
  });

  it('has only strings in extraArgs', () => {
    const { api, controllerManager, scheduler, storage } = k0sOf({
      ...customPolicy,
      [`${C}.kube_scheduler_bind_to_all`]: true,
    }).spec;
    for (const { extraArgs } of [api, controllerManager, scheduler, storage.etcd])
      for (const value of Object.values(extraArgs)) expect(value).toBeTypeOf('string');
    expect(scheduler.extraArgs).toEqual({ 'bind-address': '0.0.0.0' });
  });

  it('keeps NodeRestriction in addition to the plugins of MKE 3', () => {
    const flags = {
      [`${C}.custom_kube_api_server_flags`]: ['--enable-admission-plugins=PodNodeSelector'],
    };
    expect(k0sOf(flags).spec.api.extraArgs['enable-admission-plugins']).toBe(
      'NodeRestriction,PodNodeSelector',
    );
  });

  it('has the audiences of a custom issuer and of konnectivity', () => {
    const flags = [`--service-account-issuer=https://mke.example.com`];
    expect(
      k0sOf({ [`${C}.custom_kube_api_server_flags`]: flags }).spec.api.extraArgs,
    ).toMatchObject({
      'service-account-issuer': 'https://mke.example.com',
      'api-audiences':
        'https://kubernetes.default.svc,system:konnectivity-server,https://mke.example.com',
    });
    expect(k0sOf({}).spec.api.extraArgs).not.toHaveProperty('service-account-issuer');
  });

  it('writes the audit policy of MKE 3 to a separate file', () => {
    const { files, spec, directories } = k0sOf(customPolicy);
    expect(parse(files[0]?.content ?? '')).toEqual({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      rules: [{ level: 'Request' }],
    });
    expect(spec.api.extraArgs).toMatchObject({
      'audit-policy-file': files[0]?.path,
      'audit-log-path': `${directories[0] ?? ''}/audit.log`,
    });
  });

  it('reports an audit policy without rules, and logs metadata', () => {
    const broken = { ...customPolicy, [`${C}.kube_api_server_custom_audit_policy_yaml`]: '}{' };
    const { conversion, k0s } = settings(broken);
    expect(conversion.unconverted.map(({ key }) => key)).toContain(
      `${C}.kube_api_server_custom_audit_policy_yaml`,
    );
    expect(k0s.files[0]?.content).toContain('level: Metadata');
  });
});
