import { describe, expect, it } from 'vitest';
import { convertConfig } from '../../../src/mke/convert/convert.ts';
import { Mke3Config } from '../../../src/mke/mke3-config.ts';

type Cluster = Record<string, string[] | boolean>;

const convert = (cluster: Cluster, leaveOut: string[] = []) =>
  convertConfig(new Mke3Config({ cluster_config: { calico_kdd: true, ...cluster } }), {
    hosts: [],
    externalAddress: '',
    leaveOut,
  });
const api = (...flags: string[]): Cluster => ({ custom_kube_api_server_flags: flags });

describe('kube-apiserver flags and admission plugins', () => {
  it('drops admission plugins that exist only in MKE 3 and reports them', () => {
    const { config, unconverted } = convert(
      api(
        '--enable-admission-plugins=UCPAuthorization,CheckImageSigning,PodNodeSelector,PodSecurityPolicy',
      ),
    );
    expect(config).toMatchObject({
      spec: { apiServer: { extraArgs: { 'enable-admission-plugins': 'PodNodeSelector' } } },
    });
    expect(unconverted.map(({ key, value }) => `${key} ${value}`)).toEqual([
      'cluster_config.custom_kube_api_server_flags UCPAuthorization',
      'cluster_config.custom_kube_api_server_flags CheckImageSigning',
      'cluster_config.custom_kube_api_server_flags PodSecurityPolicy',
    ]);
  });

  it.each([
    [api('--no-such-flag=1', '--event-ttl=2h'), 'no-such-flag', { 'event-ttl': '2h' }],
    [
      api('--enable-admission-plugins=A,PodNodeSelector'),
      'A',
      { 'enable-admission-plugins': 'PodNodeSelector' },
    ],
    [{ k8s_always_pull_images_ac_enabled: true }, 'AlwaysPullImages', {}],
    [{ kube_api_server_profiling_enabled: true }, 'profiling', {}],
  ])('from %j, --leave-out %s removes the flag or plugin', (cluster: Cluster, name, extraArgs) => {
    const { config, unconverted } = convert(cluster, [name]);
    expect(config).toMatchObject({ spec: { apiServer: { extraArgs } } });
    expect(
      (config as { spec: { apiServer: { extraArgs: object } } }).spec.apiServer.extraArgs,
    ).toEqual(extraArgs);
    expect(unconverted.map(({ why }) => why)).toEqual(['--leave-out names it']);
  });
});
