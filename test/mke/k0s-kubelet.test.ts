import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { convertConfig } from '../../src/mke/convert/convert.ts';
import { setPath } from '../../src/mke/convert/values.ts';
import { k0sSettings } from '../../src/mke/k0s-config.ts';
import { Mke3Config } from '../../src/mke/mke3-config.ts';
import { C, host, k0sOf, profilesOf, settings } from '../helpers/mke3-settings.ts';

describe('worker profiles', () => {
  const gpu = { [`${C}.custom_kubelet_flags_profiles`]: { gpu: '--max-pods=40' } };

  it('reserve different resources on managers and workers', () => {
    const profiles = profilesOf({
      [`${C}.manager_kube_reserved_resources`]: 'cpu=2',
      [`${C}.worker_kube_reserved_resources`]: 'cpu=1',
    });
    expect(profiles['default']?.['kubeReserved']).toEqual({ cpu: '1' });
    expect(profiles['mke-manager']?.['kubeReserved']).toEqual({ cpu: '2' });
    expect(k0sOf({}).flags).toEqual({
      m1: ['--profile=mke-manager'],
      m2: ['--profile=mke-manager'],
      w1: [],
      w2: [],
    });
  });

  it('of MKE 3 contain the reserved resources of the role, and are selected by labels', () => {
    const values = { ...gpu, [`${C}.manager_kube_reserved_resources`]: 'cpu=2' };
    const profiles = profilesOf(values);
    expect(profiles['gpu']).toMatchObject({ maxPods: 40, kubeReserved: { cpu: '50m' } });
    expect(profiles['gpu-manager']).toMatchObject({ maxPods: 40, kubeReserved: { cpu: '2' } });
    expect(k0sOf(values).flags).toMatchObject({
      m2: ['--profile=gpu-manager'],
      w1: [],
      w2: ['--profile=gpu'],
    });
  });

  it('get names that are valid for a ConfigMap, with a line in the report', () => {
    const names = {
      GPU_big: '--max-pods=1',
      default: '--max-pods=2',
      'mke-manager': '--max-pods=3',
    };
    const { conversion, k0s } = settings({ [`${C}.custom_kubelet_flags_profiles`]: names });
    const custom = k0s.spec.workerProfiles.slice(2).map(({ name }) => name);
    expect(custom).toEqual(['gpu-big', 'mke-default', 'mke-mke-manager']);
    expect(conversion.config).toMatchObject({
      spec: { kubelet: { customProfiles: custom.map((name) => ({ name })) } },
    });
    const renamed = conversion.unconverted.filter(({ value }) => value === '(name)');
    expect(renamed.map(({ what }) => what)).toEqual(
      custom.map((name) => `it is called "${name}" in MKE 4`),
    );
  });

  it('are selected by their names in MKE 3', () => {
    const toml = new Mke3Config({
      cluster_config: { custom_kubelet_flags_profiles: { GPU: '--max-pods=1' } },
    });
    const nodes = [host('w1', 'worker', { profile: 'GPU' }), host('w2', 'worker')];
    const conversion = convertConfig(toml, { hosts: nodes, externalAddress: '' });
    expect(conversion.config).toMatchObject({
      spec: { hosts: [{ installFlags: ['--profile=gpu'] }, { role: 'worker' }] },
    });
    expect(k0sSettings(conversion, nodes).flags).toEqual({ w1: ['--profile=gpu'], w2: [] });
  });

  it('contain custom kubelet flags as fields; other flags are passed to "k0s install"', () => {
    const flags = [
      '--image-gc-high-threshold=70',
      '--max-open-files=9',
      '--v=4',
      '--node-labels=a=b',
    ];
    const values = { ...gpu, [`${C}.custom_kubelet_flags`]: flags };
    for (const profile of Object.values(profilesOf(values)))
      expect(profile).toMatchObject({ imageGCHighThresholdPercent: 70 });
    expect(k0sOf(values).flags['w2']).toEqual([
      '--profile=gpu',
      '--labels=a=b',
      '--kubelet-extra-args=--max-open-files=9 --v=4',
    ]);
  });

  it('get --node-ip with the cluster address of the node, unless a custom flag sets it', () => {
    const flagsOf = (custom: string[]) => {
      const toml: JsonObject = {};
      setPath(toml, `${C}.calico_kdd`, true);
      setPath(toml, `${C}.custom_kubelet_flags`, custom);
      const one = [{ ...host('w1', 'worker'), nodeAddress: '10.1.0.5' }];
      const base = convertConfig(new Mke3Config(toml), { hosts: one, externalAddress: '' });
      return k0sSettings(base, one).flags['w1'];
    };
    expect(flagsOf([])).toEqual(['--kubelet-extra-args=--node-ip=10.1.0.5']);
    expect(flagsOf(['--v=4'])).toEqual(['--kubelet-extra-args=--node-ip=10.1.0.5 --v=4']);
    expect(flagsOf(['--node-ip=::'])).toEqual(['--kubelet-extra-args=--node-ip=::']);
  });

  it('have no field that k0s rejects', () => {
    const flags = ['--cluster-dns=10.0.0.1', '--cluster-domain=x', '--manifest-url=http://x'];
    const locked = ['clusterDNS', 'clusterDomain', 'apiVersion', 'kind', 'staticPodURL'];
    const profiles = profilesOf({
      [`${C}.custom_kubelet_flags`]: flags,
      [`${C}.custom_kubelet_flags_profiles`]: { gpu: flags.join(' ') },
    });
    for (const profile of Object.values(profiles))
      expect(Object.keys(profile).filter((key) => locked.includes(key))).toEqual([]);
  });
});
