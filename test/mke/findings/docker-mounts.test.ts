import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { dockerMounts } from '../../../src/mke/findings/docker-mounts.ts';
import { brief, daemonSet } from './views.ts';

const found = (paths: string[], container: JsonObject = {}, roots = ['/var/lib/docker']) =>
  brief(dockerMounts({ objects: [daemonSet('x', paths, container)], complete: new Set() }, roots));

describe('mounts of Docker', () => {
  it.each([
    ['/var/run/docker.sock', 'error docker_socket'],
    ['/run/docker.sock', 'error docker_socket'],
    ['/run=docker.sock', 'error docker_socket'],
    ['/var/run', 'warning docker_socket'],
    ['/', 'info docker_socket'],
    ['/var/lib/docker', 'error docker_files'],
    ['/var/lib/docker/image/overlay2', 'error docker_files'],
    ['/var/lib', 'warning docker_files'],
    ['/var', 'warning docker_files'],
  ])('judges %s', (path, expected) => {
    expect(found([path])).toEqual([`${expected} DaemonSet ops/x`]);
  });

  it.each(['/run/docker', '/var/run/docker.sock.bak', '/var/lib/docker-data', '/run=dbus', '/etc'])(
    'leaves %s alone',
    (path) => {
      expect(found([path])).toEqual([]);
    },
  );

  it('takes a directory above the socket for use where a container is told so', () => {
    const env = [{ name: 'DOCKER_HOST', value: 'unix:///host/docker.sock' }];
    expect(found(['/run'], { env })).toEqual(['error docker_socket DaemonSet ops/x']);
    expect(found(['/'], { args: ['--endpoint=/host/run/docker.sock'] })).toEqual([
      'error docker_socket DaemonSet ops/x',
    ]);
  });

  it('leaves the directory of logs to the check of log agents', () => {
    expect(found(['/var/lib/docker/containers', '/var/log'])).toEqual([]);
    expect(found(['/var/lib/docker', '/var/log'])).toEqual([]);
  });

  it('knows where the engines of the hosts keep their data', () => {
    expect(found(['/data/docker/volumes'])).toEqual([]);
    expect(found(['/data/docker/volumes'], {}, ['/var/lib/docker', '/data/docker/'])).toEqual([
      'error docker_files DaemonSet ops/x',
    ]);
  });

  it('finds a volume that is the socket, or keeps its data in a directory of Docker', () => {
    const volume = (path: string) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: { hostPath: { path } },
    });
    const judged = (path: string) =>
      brief(dockerMounts({ objects: [volume(path)], complete: new Set() }, ['/var/lib/docker']));
    expect(judged('/var/run/docker.sock')).toEqual(['error docker_socket PersistentVolume v']);
    expect(judged('/var/lib/docker/volumes/a')).toEqual([
      'warning docker_files PersistentVolume v',
    ]);
    expect(judged('/var/lib')).toEqual([]);
  });

  it('reports socket and files of one workload separately', () => {
    expect(found(['/var/run/docker.sock', '/var/lib/docker', '/sys'])).toEqual([
      'error docker_socket DaemonSet ops/x',
      'error docker_files DaemonSet ops/x',
    ]);
  });
});
