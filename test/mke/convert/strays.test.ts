import { describe, expect, it } from 'vitest';
import { convert, specOf } from '../../helpers/mke3-config.ts';

const lines = (toml: string): string[] =>
  convert(`[cluster_config]\ncalico_kdd = true\n${toml}`).unconverted.map(
    ({ key, value, why, what }) => `${key} = ${value}: ${why}; ${what}`,
  );

describe('a line appended to the end of the file', () => {
  it.each([
    ['a table', '[cluster_config.k8s_event_rate_limit]', 'cluster_config.k8s_event_rate_limit'],
    ['a list of tables', '[[registries]]', 'registries'],
    [
      'a table with user-defined keys',
      '[cluster_config.custom_kubelet_flags_profiles]',
      'cluster_config.custom_kubelet_flags_profiles',
    ],
  ])('is reported if the last table is %s', (_, header, table) => {
    const flag = lines(`${header}\ncustom_kubelet_flags = ["--max-pods=250"]\n`);
    expect(flag).toContainEqual(
      `${table}.custom_kubelet_flags = ["--max-pods=250"]: it is in the table [${table}] (x.toml:4:1), where MKE 3 does not read it; move the line to [cluster_config]`,
    );
    const bare = lines(`${header}\n--max-pods=250\n`);
    expect(bare).toContainEqual(
      expect.stringContaining(
        `${table}.--max-pods = 250: it is in the table [${table}] (x.toml:4:1), and a flag is not a setting; add it to a list`,
      ),
    );
  });

  it('is reported even if its value is off', () => {
    expect(lines('[auth]\nkube_scheduler_profiling_enabled = false\n')).toEqual([
      expect.stringMatching(/^auth\.kube_scheduler_profiling_enabled = false.*\[cluster_config\]$/),
    ]);
  });

  it('is not converted to a kubelet profile', () => {
    const toml =
      '[cluster_config]\ncalico_kdd = true\n[cluster_config.custom_kubelet_flags_profiles]\ncustom_kubelet_flags = ["--v=2"]\n';
    expect(specOf(toml)['kubelet']?.['customProfiles']).toEqual([]);
  });
});

describe('a key that is not documented', () => {
  it('is reported with the most similar documented key', () => {
    expect(lines('kubelet_max_pod = 200\n')).toEqual([
      'cluster_config.kubelet_max_pod = 200: it is not a documented MKE 3 setting (x.toml:3:1); write "cluster_config.kubelet_max_pods" if you mean that setting',
    ]);
  });

  it('is reported in an item of a list of tables', () => {
    expect(
      lines('[[registries]]\nhost = "r.example.com"\n').filter((line) =>
        /^registries\./.test(line),
      ),
    ).toEqual([
      expect.stringMatching(/^registries\.host = r\.example\.com: it is not a documented MKE 3/),
    ]);
  });
});
