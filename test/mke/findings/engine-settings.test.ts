import { describe, expect, it } from 'vitest';
import { engineSettings } from '../../../src/mke/findings/engine-settings.ts';

const host = (name: string, daemon_json: string) => ({ host: name, daemon_json, images: [] });
const settings = (value: unknown) => engineSettings([host('w1', JSON.stringify(value))]);
const keys = (value: unknown) => settings(value).map(({ object }) => object);

describe('settings of the Docker engine', () => {
  it('are reported once for all hosts that have them', () => {
    const mirror = '{"registry-mirrors":["https://m.example.com"]}';
    const [found, ...others] = engineSettings([
      host('w2', mirror),
      host('w1', mirror),
      host('w3', ''),
    ]);
    expect(others).toEqual([]);
    expect(found?.evidence).toContain('on w1 and w2.');
  });

  it('are reported as different if the hosts have different values', () => {
    const found = engineSettings([host('w1', '{"bip":"10.0.0.1/24"}'), host('w2', '{"bip":"x"}')]);
    expect(found[0]?.evidence).toContain('on w1 and w2 (with different values)');
  });

  it('are not reported if they are empty, have their default, or do not affect pods', () => {
    expect(
      keys({
        'registry-mirrors': [],
        'insecure-registries': ['localhost:5000', '127.0.0.0/8'],
        'log-driver': 'json-file',
        'storage-driver': 'overlay2',
        init: false,
        'live-restore': true,
        debug: true,
        hosts: ['tcp://0.0.0.0:2376'],
        mtu: 1450,
        'exec-opts': ['native.cgroupdriver=systemd'],
        'data-root': '/var/lib/docker',
      }),
    ).toEqual([]);
  });

  it.each([
    ['insecure-registries', ['10.0.0.0/8'], 'error'],
    ['proxies', { 'https-proxy': 'http://p' }, 'error'],
    ['default-runtime', 'nvidia', 'error'],
    ['registry-mirrors', ['https://m'], 'warning'],
    ['default-ulimits', { nofile: { Soft: 1 } }, 'warning'],
    ['default-shm-size', '1g', 'warning'],
    ['selinux-enabled', true, 'warning'],
    ['log-driver', 'syslog', 'warning'],
    ['data-root', '/data', 'warning'],
    ['log-opts', { 'max-size': '1m' }, 'info'],
    ['bip', '10.0.0.1/24', 'info'],
  ])('%s is reported with its severity', (key, value, severity) => {
    expect(settings({ [key]: value })).toMatchObject([
      { id: 'engine_settings', object: `daemon.json ${key}`, severity, blocking: false },
    ]);
  });

  it('do not include options of another log driver, and have no command for a range of registries', () => {
    expect(keys({ 'log-driver': 'journald', 'log-opts': { tag: 'x' } })).toEqual([
      'daemon.json log-driver',
    ]);
    expect(settings({ 'insecure-registries': ['10.0.0.0/8'] })[0]?.remedy).toMatch(/^grep /);
  });

  it('never contain a password', () => {
    const said = JSON.stringify(
      settings({
        proxies: { 'http-proxy': 'http://u:hush@p:1' },
        'registry-mirrors': ['https://u:hush@m'],
      }),
    );
    expect(said).not.toContain('hush');
  });

  it('are reported as unknown if the file is damaged', () => {
    expect(engineSettings([host('w1', '{ "bip": ')])).toMatchObject([
      { severity: 'warning', object: 'daemon.json of w1' },
    ]);
  });
});
