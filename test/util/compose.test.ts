import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/core/json.ts';
import { composeFiles, configFiles } from '../../src/util/compose.ts';

const service = (name: string, spec: JsonObject = {}, container: JsonObject = {}): JsonObject => {
  const [stack = '', rest] = name.split('_');
  return {
    Spec: {
      Name: name,
      Labels: rest === undefined ? {} : { 'com.docker.stack.namespace': stack },
      ...spec,
      TaskTemplate: {
        ContainerSpec: { Image: 'shop:7', Isolation: 'default', ...container },
        ForceUpdate: 0,
        Runtime: 'container',
        ...(spec['TaskTemplate'] as JsonObject | undefined),
      },
    },
  };
};
const lines = (content: string) => content.split('\n').filter((line) => line.startsWith('#'));

describe('compose files', () => {
  it('contain images, commands, limits, mounts, ports and placement of a service', () => {
    const web = service(
      'shop_web',
      {
        Mode: { Replicated: { Replicas: 3 } },
        EndpointSpec: {
          Mode: 'vip',
          Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' }],
        },
        UpdateConfig: { Parallelism: 1, Delay: 2e9, Order: 'start-first' },
        TaskTemplate: {
          ContainerSpec: {
            Image: 'shop:7',
            Command: ['/bin/shop'],
            Args: ['--fast'],
            Env: ['A=1'],
            StopGracePeriod: 15e9,
            Mounts: [
              { Type: 'volume', Source: 'data', Target: '/data', ReadOnly: true },
              { Type: 'tmpfs', Target: '/tmp', TmpfsOptions: { SizeBytes: 1024 } },
            ],
            Configs: [{ ConfigName: 'shop-ini', File: { Name: '/shop.ini', Mode: 292 } }],
          },
          Resources: { Limits: { NanoCPUs: 5e8, MemoryBytes: 1048576 } },
          RestartPolicy: { Condition: 'any', Delay: 5e9 },
          Placement: {
            Constraints: ['node.role==worker'],
            Platforms: [{ Architecture: 'amd64', OS: 'linux' }],
          },
          Networks: [{ Target: 'n1', Aliases: ['web', 'front'] }],
        },
      },
      {},
    );
    const networks = [
      { Id: 'n1', Name: 'shop_net', Driver: 'overlay', Attachable: true, Options: {} },
    ];
    const configs = [{ Spec: { Name: 'shop-ini', Data: 'YQ==' } }];
    const [file, ...more] = composeFiles({ services: [web], networks, configs });
    expect(more).toEqual([]);
    expect(file?.name).toBe('stack-shop.yaml');
    expect(lines(file?.content ?? '').at(-1)).toBe('# No setting is missing.');
    expect(parse(file?.content ?? '')).toEqual({
      version: '3.8',
      services: {
        web: {
          image: 'shop:7',
          entrypoint: ['/bin/shop'],
          command: ['--fast'],
          environment: ['A=1'],
          stop_grace_period: '15000ms',
          volumes: [
            { type: 'volume', source: 'data', target: '/data', read_only: true },
            { type: 'tmpfs', target: '/tmp', tmpfs: { size: 1024 } },
          ],
          configs: [{ source: 'shop-ini', target: '/shop.ini', mode: 292 }],
          networks: { shop_net: { aliases: ['front'] } },
          ports: [{ target: 80, published: 8080, protocol: 'tcp', mode: 'host' }],
          deploy: {
            replicas: 3,
            endpoint_mode: 'vip',
            resources: { limits: { cpus: '0.5', memory: '1048576' } },
            restart_policy: { condition: 'any', delay: '5000ms' },
            placement: { constraints: ['node.role==worker'] },
            update_config: { parallelism: 1, delay: '2000ms', order: 'start-first' },
          },
        },
      },
      networks: { shop_net: { name: 'shop_net', driver: 'overlay', attachable: true } },
      volumes: { data: { name: 'data' } },
      configs: { 'shop-ini': { file: './configs/shop-ini' } },
    });
    expect(configFiles(configs)).toEqual([{ name: 'configs/shop-ini', content: 'a' }]);
  });

  it('list every setting that they lack', () => {
    const secrets = [{ SecretName: 'key', File: { Name: 'key' } }];
    const privileges = { CredentialSpec: { Registry: 'x' }, SELinuxContext: null };
    const mount = { Type: 'bind', Source: '/a', Target: '/b', BindOptions: { NonRecursive: true } };
    const [file] = composeFiles({
      services: [
        service(
          'solo',
          { Mode: { ReplicatedJob: { MaxConcurrent: 1 } } },
          { Secrets: secrets, Privileges: privileges, Mounts: [mount] },
        ),
      ],
      ...{ networks: [], configs: [] },
    });
    expect(file?.name).toBe('services.yaml');
    expect(lines(file?.content ?? '').slice(2)).toEqual([
      '# Not in this file:',
      '# - service solo: Mode.ReplicatedJob.MaxConcurrent',
      '# - service solo: TaskTemplate.ContainerSpec.Privileges.CredentialSpec.Registry',
      '# - service solo: mount /b: BindOptions.NonRecursive',
      '# - secret key: its value cannot be read; create it first',
    ]);
  });

  it('do not create a network that several stacks use', () => {
    const attached = { TaskTemplate: { Networks: [{ Target: 'n1' }] } };
    const files = composeFiles({
      services: [service('a_web', attached), service('b_web', attached)],
      networks: [{ Id: 'n1', Name: 'shared', Driver: 'overlay' }],
      configs: [],
    });
    expect(files.map(({ name }) => name)).toEqual(['stack-a.yaml', 'stack-b.yaml']);
    for (const { content } of files) {
      expect(content).toContain('# - network shared: used by several files; create it first');
      expect(parse(content)).toMatchObject({ networks: { shared: { external: true } } });
    }
  });
});
