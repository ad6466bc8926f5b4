import { describe, expect, it } from 'vitest';
import { imagesOf } from '../../../src/mke/findings/host-facts.ts';
import { localImages, fullImageName } from '../../../src/mke/findings/local-images.ts';
import { brief, daemonSet } from './views.ts';

const HOST = 'w1';
function found(image: string, images: [string, boolean][], policy?: string) {
  const container = policy === undefined ? { image } : { image, imagePullPolicy: policy };
  const view = { objects: [daemonSet('x', [], container)], complete: new Set<string>() };
  const listed = images.map(([name, in_registry]) => ({ name, in_registry }));
  return brief(localImages(view, [{ host: HOST, daemon_json: '', images: listed }]));
}
const SOME = ['error local_image DaemonSet ops/x'];

describe('images on hosts', () => {
  it.each([
    ['web', 'docker.io/library/web:latest'],
    ['ops/web:1', 'docker.io/ops/web:1'],
    ['docker.io/web:1', 'docker.io/library/web:1'],
    ['index.docker.io/ops/web', 'docker.io/ops/web:latest'],
    ['localhost/web', 'localhost/web:latest'],
    ['reg:5000/a/web', 'reg:5000/a/web:latest'],
    ['web:1@sha256:ab', 'docker.io/library/web@sha256:ab'],
  ])('the full name of %s is %s', (image, whole) => {
    expect(fullImageName(image)).toBe(whole);
  });

  it('are reported if no registry has them', () => {
    expect(found('app:dev', [['app:dev', false]])).toEqual(SOME);
    expect(found('docker.io/library/app:dev', [['app:dev', false]])).toEqual(SOME);
    expect(found('app:dev', [['app:dev', true]])).toEqual([]);
    expect(found('app:dev', [['app:other', false]])).toEqual([]);
  });

  it('are reported if imagePullPolicy is Never', () => {
    expect(found('app:1', [['app:1', true]], 'Never')).toEqual(SOME);
    expect(found('app:1', [], 'Never')).toEqual(SOME);
    expect(found('app:1', [['app:1', false]], 'Always')).toEqual([]);
  });

  it('count as published if one host has a registry digest', () => {
    const view = { objects: [daemonSet('x', [], { image: 'app:1' })], complete: new Set<string>() };
    const facts = [true, false].map((in_registry, index) => ({
      host: `w${String(index)}`,
      daemon_json: '',
      images: [{ name: 'app:1', in_registry }],
    }));
    expect(localImages(view, facts)).toEqual([]);
  });

  it('are parsed from the list of the engine', () => {
    expect(
      imagesOf('app dev <none>\nnginx 1.25 sha256:aa\n<none> <none> <none>\nnginx 1.25 <none>\n'),
    ).toEqual([
      { name: 'app:dev', in_registry: false },
      { name: 'nginx:1.25', in_registry: true },
    ]);
  });
});
