import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { dockerMounts } from '../../../src/mke/findings/docker-mounts.ts';
import { brief, daemonSet } from './views.ts';

const found = (paths: string[], container: JsonObject = {}, roots = ['/var/lib/docker']) =>
  brief(dockerMounts({ objects: [daemonSet('x', paths, container)], complete: new Set() }, roots));

describe('mounts of Docker files', () => {
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
  ])('%s is %s', (path, expected) => {
    expect(found([path])).toEqual([`${expected} DaemonSet ops/x`]);
  });

  it.each(['/run/docker', '/var/run/docker.sock.bak', '/var/lib/docker-data', '/run=dbus', '/etc'])(
    '%s is not reported',
    (path) => {
      expect(found([path])).toEqual([]);
    },
  );

  it('a parent directory of the socket is an error if a container is configured to use the socket', () => {
    const env = [{ name: 'DOCKER_HOST', value: 'unix:///host/docker.sock' }];
    expect(found(['/run'], { env })).toEqual(['error docker_socket DaemonSet ops/x']);
    expect(found(['/'], { args: ['--endpoint=/host/run/docker.sock'] })).toEqual([
      'error docker_socket DaemonSet ops/x',
    ]);
  });

  it('the log directory of log agents is not reported', () => {
    expect(found(['/var/lib/docker/containers', '/var/log'])).toEqual([]);
    expect(found(['/var/lib/docker', '/var/log'])).toEqual([]);
  });

  it('the configured data directories of the engines are reported', () => {
    expect(found(['/data/docker/volumes'])).toEqual([]);
    expect(found(['/data/docker/volumes'], {}, ['/var/lib/docker', '/data/docker/'])).toEqual([
      'error docker_files DaemonSet ops/x',
    ]);
  });

  it('a PersistentVolume with the socket or a Docker directory is reported', () => {
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

  it('the socket and files of one workload are separate findings', () => {
    expect(found(['/var/run/docker.sock', '/var/lib/docker', '/sys'])).toEqual([
      'error docker_socket DaemonSet ops/x',
      'error docker_files DaemonSet ops/x',
    ]);
  });
});
