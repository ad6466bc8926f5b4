import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { dockerObjects } from '../../src/facts/docker.ts';
import { imageParts, sortObjects, type EngineObjects } from '../../src/mke/mke3-objects.ts';
import { inspected, parsed } from '../helpers/mke3-containers.ts';

const sort = (objects: Partial<EngineObjects>) =>
  sortObjects({
    ...{ containers: parsed(inspected('ucp-proxy')), volumes: [], networks: [] },
    ...{ services: [], configs: [], secrets: [] },
    ...objects,
  });
const service = (name: string, image: string, uses: JsonObject = {}, networks: string[] = []) => ({
  ID: `id-${name}`,
  Spec: {
    Name: name,
    TaskTemplate: {
      ContainerSpec: { Image: image, ...uses },
      Networks: networks.map((one) => ({ Target: one })),
    },
  },
});
const named = (name: string): JsonObject => ({ ID: `id-${name}`, Spec: { Name: name } });
const network = (name: string, scope: string, attached: string[] = []): JsonObject => ({
  ...{ Name: name, Id: `id-${name}`, Scope: scope, Ingress: name === 'ingress' },
  Containers: Object.fromEntries(attached.map((one) => [`id-${one}`, { Name: one }])),
});

describe('MKE 3 objects', () => {
  it('include containers with name and image of MKE, from the registry of the installation', () => {
    const { mke3, kept } = sort({
      containers: parsed(
        inspected('ucp-proxy', { image: 'reg.example.com:5000/mke/ucp-proxy:3.7.16' }),
        inspected('ucp-kubelet', { image: 'reg.example.com:5000/mke/ucp-hyperkube:3.7.16' }),
        inspected('ucp-kv', { image: 'docker/ucp-etcd:3.7.15@sha256:12' }),
        inspected('ucp-mything', { image: 'reg.example.com/shop/ucp-mything:3.7.16' }),
        inspected('ucp-cache', { image: 'redis:7' }),
        inspected('my-ucp-proxy', { image: 'mirantis/ucp-proxy:3.7.16' }),
        inspected('ucp-worker-agent-x.1', { labels: { 'com.docker.swarm.task.id': 't' } }),
      ),
    });
    expect(mke3.containers).toEqual(['ucp-kubelet', 'ucp-kv', 'ucp-proxy']);
    expect(kept).toEqual(['container ucp-cache', 'container ucp-mything']);
  });

  it('include volumes with a documented name, or used only by MKE', () => {
    const unnamed = 'a'.repeat(64);
    const { mke3, kept } = sort({
      containers: parsed(
        inspected('ucp-proxy', { volumes: ['ucp-node-certs', 'ucp-extra', unnamed, 'own-data'] }),
        inspected('shop', { image: 'shop:1', volumes: ['ucp-metrics-data', 'b'.repeat(64)] }),
      ),
      volumes: [
        ...['ucp-node-certs', 'ucp-extra', unnamed, 'own-data', 'ucp-metrics-data', 'my-ucp-data'],
        ...['ucp-mything', 'ucp-kv', 'b'.repeat(64)],
      ].map((Name) => ({ Name })),
    });
    expect(mke3.volumes).toEqual(['ucp-node-certs', 'ucp-extra', unnamed, 'ucp-kv']);
    expect(kept).toEqual(['volume ucp-metrics-data', 'volume ucp-mything']);
  });

  it('include services by name and image, and their configs and networks unless others use them', () => {
    const agent = 'mirantis/ucp-agent:3.7.16@sha256:0';
    const { mke3, lost } = sort({
      services: [
        service('ucp-cluster-agent', agent, {
          Configs: [{ ConfigID: 'id-agent-settings', ConfigName: 'agent-settings' }],
          Secrets: [{ SecretID: 'id-agent-key', SecretName: 'agent-key' }],
        }),
        service('ucp-interlock', 'mirantis/ucp-interlock:3.3.13', {}, ['id-ucp-interlock', 'n']),
        service('ucp-shop', 'registry.example.com/shop:1', {}, ['n']),
        service('agent', agent),
      ],
      configs: [
        ...['com.docker.ucp.config-3', 'com.docker.license', 'com.docker.ucp.interlock.conf-1'],
        ...['agent-settings', 'com.docker.mine', 'com.docker.ucp.configuration'],
      ].map(named),
      secrets: ['agent-key', 'shop-key'].map(named),
      networks: [
        ...['ucp-bridge', 'ucp-interlock', 'shop', 'ingress'].map((one) => network(one, 'swarm')),
        { Name: 'n', Id: 'n', Scope: 'swarm' },
      ],
    });
    expect(mke3).toMatchObject({
      services: ['ucp-cluster-agent', 'ucp-interlock'],
      configs: [
        ...['com.docker.ucp.config-3', 'com.docker.license', 'com.docker.ucp.interlock.conf-1'],
        'agent-settings',
      ],
      swarm_networks: ['ucp-bridge', 'ucp-interlock'],
    });
    expect(lost).toEqual({
      services: ['ucp-shop', 'agent'],
      configs: ['com.docker.mine', 'com.docker.ucp.configuration'],
      secrets: ['shop-key'],
      networks: ['shop', 'n'],
    });
  });

  it('include local networks to which only MKE containers are attached', () => {
    const { mke3, kept } = sort({
      networks: [
        network('bridge', 'local'),
        network('ucp-bridge', 'local', ['ucp-proxy']),
        network('ucp-mine', 'local'),
        network('ucp-shared', 'local', ['ucp-proxy', 'shop']),
      ],
    });
    expect(mke3.networks).toEqual(['ucp-bridge']);
    expect(kept).toEqual(['network ucp-mine', 'network ucp-shared']);
  });

  it('imageParts() splits an image name', () => {
    expect(imageParts('reg.example.com:5000/mke/ucp-proxy:3.7.9@sha256:1')).toEqual({
      ...{ path: 'reg.example.com:5000/mke/', name: 'ucp-proxy', tag: '3.7.9' },
    });
    expect(imageParts('nginx')).toEqual({ path: '', name: 'nginx', tag: '' });
  });

  it('can be listed while some objects are being removed', () => {
    const stdout = '[{"Name":"a"}]';
    const stderr = 'Error response from daemon: no such volume: b';
    expect(dockerObjects.parse({ code: 1, stdout, stderr }, '[]', 'volume')).toEqual([
      { Name: 'a' },
    ]);
    expect(() => dockerObjects.parse({ code: 1, stdout: '', stderr }, '[]', 'volume')).toThrow(
      'Cannot inspect the volumes of the engine: Error response from daemon: no such volume: b',
    );
  });
});
