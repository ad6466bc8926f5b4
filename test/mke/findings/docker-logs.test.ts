import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { configMapsOf, dockerLogs } from '../../../src/mke/findings/docker-logs.ts';
import { daemonSet } from './views.ts';

const DOCKER = '/var/lib/docker/containers';
/** Severities of the findings for an agent with these mounts and this configuration. */
function judged(paths: string[], configuration: string, container: JsonObject = {}) {
  const set = daemonSet('agent', paths, {
    envFrom: [{ configMapRef: { name: 'settings' } }],
    ...container,
  });
  const map = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'ops' },
    data: { 'agent.conf': configuration },
  };
  const view = { objects: [set, map], complete: new Set<string>() };
  return dockerLogs(view, ['/var/lib/docker']).map(({ severity }) => severity);
}

describe('log agents', () => {
  it.each([
    ['fluent-bit with the Docker parser', '[INPUT]\n  Parser  docker\n', ['error']],
    ['fluent-bit in Docker mode', '[INPUT]\n  Docker_Mode On\n', ['error']],
    ['fluent-bit with one multiline parser', '  multiline.parser  docker\n', ['error']],
    ['fluent-bit that tries both formats', '  multiline.parser  docker, cri\n', []],
    ['filebeat with the Docker input', '- type: docker\n  containers.ids: ["*"]\n', ['error']],
    ['filebeat with the container input', '- type: container\n  paths: [x]\n', []],
    ['filebeat with a filestream', '- type: filestream\n  parsers:\n    - container: ~\n', []],
    ['an input bound to one format', '- type: container\n  format: docker\n', ['error']],
    ['promtail with the Docker stage', 'stage.docker {}\n', ['error']],
    ['vector, which detects the format', 'type: kubernetes_logs\n', []],
    ['settings without a format', 'level: info\n', ['warning']],
    ['a parser in a comment', '# Parser docker\nParser cri\n', []],
  ])('%s', (_, configuration, expected) => {
    expect(judged(['/var/log', DOCKER], configuration)).toEqual(expected);
  });

  it('distinguishes the input format of fluentd from its output format', () => {
    const source = (parse: string) =>
      `<source>\n  @type tail\n  path /var/log/containers/*.log\n  <parse>\n    ${parse}\n  </parse>\n</source>\n`;
    const out = '<match **>\n  <format>\n    @type json\n  </format>\n</match>\n';
    expect(judged(['/var/log', DOCKER], source('@type json') + out)).toEqual(['error']);
    expect(judged(['/var/log', DOCKER], source('@type cri') + out)).toEqual([]);
    expect(judged(['/var/log'], out)).toEqual([]);
  });

  it('are reported if they read only the Docker directory', () => {
    expect(judged([DOCKER], 'Parser cri\n')).toEqual(['error']);
    expect(judged(['/var/log', DOCKER], `Path ${DOCKER}/*/*.log\nParser cri\n`)).toEqual(['error']);
  });

  it('that mount only /var/log are reported only if they parse the Docker format', () => {
    expect(judged(['/var/log'], 'level: info\n')).toEqual([]);
    expect(judged(['/var/log/pods'], 'Parser docker\n')).toEqual(['warning']);
  });

  it('can set the format in the environment', () => {
    const env = (value: string) => [{ name: 'FLUENT_CONTAINER_TAIL_PARSER_TYPE', value }];
    expect(judged(['/var/log', DOCKER], '', { env: env('cri') })).toEqual([]);
    expect(judged(['/var/log', DOCKER], '', { env: env('json') })).toEqual(['error']);
  });

  it('can read ConfigMaps by volume, environment or projected volume', () => {
    expect(
      configMapsOf({
        volumes: [
          { name: 'a', configMap: { name: 'one' } },
          { name: 'b', projected: { sources: [{ configMap: { name: 'two' } }, { secret: {} }] } },
        ],
        containers: [
          {
            envFrom: [{ configMapRef: { name: 'three' } }],
            env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'one', key: 'x' } } }],
          },
        ],
      }),
    ).toEqual(['one', 'two', 'three']);
  });
});
