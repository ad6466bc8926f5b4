import { spawnSync } from 'node:child_process';
import { containers } from '../../src/facts/container.ts';
import { k8s_wait } from '../../src/modules/k8s_wait.ts';
import { fakeHost } from './module-tester.ts';

/** Runs the command of the module locally, with programs of the test first in PATH. */
export async function look(
  module: { plan: unknown },
  args: object,
  programs: Record<string, string>,
) {
  const plan = await (module as { plan: typeof k8s_wait.plan }).plan(args as never, fakeHost({}));
  const [action] = plan.actions;
  if (action?.kind !== 'exec') throw new Error('no command');
  const functions = Object.entries(programs).map(([name, body]) => `${name}() { ${body}\n}\n`);
  const [, flag = '', script = '', ...words] = action.argv;
  const { status, stdout, stderr } = spawnSync(
    '/bin/sh',
    [flag, `${functions.join('')}${script}`, ...words],
    { encoding: 'utf8', input: action.stdin ?? '', timeout: 20_000 },
  );
  return { status, stdout, stderr };
}

export const docker = '["docker"]';

export const inspected = (name: string, more: object = {}) => ({
  Name: `/${name}`,
  Id: `${name}0000000000000000`,
  Image: 'sha256:1',
  State: { Status: 'running', Running: true },
  Config: { Image: 'app:1', Cmd: ['serve'], Env: ['A=1'], Labels: { app: name } },
  HostConfig: { Binds: ['/etc/a:/a'], RestartPolicy: { Name: 'always' } },
  Mounts: [
    { Type: 'bind', Source: '/etc/a', Destination: '/a', RW: true },
    { Type: 'volume', Name: 'unnamed', Destination: '/v', RW: false },
  ],
  NetworkSettings: {
    Networks: {
      side: { Aliases: ['www', `${name}0000000000`.slice(0, 12)], IPAddress: '10.0.0.2' },
      other: { Aliases: null },
    },
  },
  ...more,
});

export const parsed = (...all: object[]) =>
  containers.parse({ code: 0, stdout: JSON.stringify(all), stderr: '' }, docker, '[]');

export const listed = (filters: string[], ...all: object[]) => ({
  [`container.list ${docker} ${JSON.stringify(filters)}`]: parsed(...all),
  'system.program curl': true,
});

export const specification = {
  imageId: 'sha256:1',
  Config: { Image: 'app:1', Cmd: ['serve'], Env: ['A=1'], Labels: { app: 'web' } },
  HostConfig: { Binds: ['/etc/a:/a', 'unnamed:/v:ro'], RestartPolicy: { Name: 'always' } },
  Networks: {
    side: { IPAMConfig: null, Links: null, DriverOpts: null, Aliases: ['www'] },
    other: { IPAMConfig: null, Links: null, DriverOpts: null, Aliases: null },
  },
};
