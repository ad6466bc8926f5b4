import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { headerOf } from '../../../src/cli/run/header.ts';
import { prepareAnd, type PreparedRun } from '../../../src/cli/run/prepare.ts';
import {
  recordedConnection,
  recordedInventory,
  recordedSettings,
  recordedVault,
} from '../../../src/cli/run/recorded.ts';
import type { RecordedRun } from '../../../src/journal/recorded-run.ts';
import { Log } from '../../../src/journal/log.ts';
import { Cli } from '../../helpers/cli.ts';
import { quietWorld } from '../../helpers/world.ts';

const playbook = `name: Site
inputs:
  size: { type: integer, default: 3, description: A size }
  token: { type: string, secret: true, required: true, env: TOKEN, description: A token }
plays:
  - name: Web
    hosts: all
    tasks:
      - { name: One, ping: , tags: [a] }
      - { name: Two, ping: , tags: [a, b] }
`;

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.dispose();
});

/** A run of the playbook, and its recorded state at the start. */
async function begin(...flags: string[]): Promise<{ run: PreparedRun; recorded: RecordedRun }> {
  const world = quietWorld({ TOKEN: 's3cret-token', XDG_STATE_HOME: cli.dir });
  const site = cli.file('site.yml', playbook);
  const hosts = cli.file('hosts.yml', 'all: { hosts: { h1: { n: 1 }, h2: }, vars: { t: [x] } }\n');
  const started: PreparedRun[] = [];
  await prepareAnd(world, ['play', [site, '-i', hosts, ...flags]], (run) => {
    started.push(run);
    return Promise.resolve(0);
  });
  const [run] = started;
  if (!run) throw new Error('The run did not start.');
  const log = Log.inMemory(world.redactor);
  await log.append(headerOf(world, run, { vault: [], files: [] }));
  return { run, recorded: log.state };
}

describe('a resumed run', () => {
  it('has the settings, inputs and hosts that the run started with', async () => {
    const { run, recorded } = await begin(
      ...['--tags', 'a', '--skip-tags', 'b', '--limit', 'h1', '--forks', '7'],
      ...['--from', 'Two', '-e', 'x:=[1]', '--on-failure', 'stop'],
    );
    const { redactor } = quietWorld();
    redactor.add('token', 's3cret-token');
    const settings = recordedSettings(recorded, redactor);
    expect(run.settings).toMatchObject(settings);
    expect(settings).toMatchObject({
      tags: ['a'],
      skipTags: ['b'],
      limit: 'h1',
      forks: 7,
      leftOut: ['web/one'],
      onFailure: 'stop',
      variables: { token: 's3cret-token', x: [1] },
      inputDefaults: { size: 3 },
    });
    const { file, hosts, groups } = run.inventory;
    expect(recordedInventory(recorded, redactor)).toEqual({ file, hosts, groups });
  });

  it('starts without a missing secret, and fails only where the secret is used', async () => {
    const { recorded } = await begin('-e', 'x=1');
    expect(recorded.header.secrets).toEqual([{ name: 'token', env: 'TOKEN' }]);
    const { variables } = recordedSettings(recorded, quietWorld().redactor);
    expect(variables['x']).toBe('1');
    expect(() => variables['token']).toThrow('The secret "token" is needed');
  });

  it('uses the recorded connection options and vault sources', async () => {
    const { recorded } = await begin(
      ...['--transport', 'openssh', '--ssh-config', 'none', '--become-user', 'app'],
      ...['--vault-id', `prod@${cli.file('password', 'long password\n')}`],
    );
    expect(recordedConnection(recorded)).toEqual({ transport: 'openssh', sshConfig: 'none' });
    expect(recordedVault(recorded)).toEqual({
      vaultId: [`prod@${cli.dir}/password`],
      vaultPasswordFile: [],
      askVaultPass: false,
    });
    expect(recorded.header.options['become']).toEqual({ user: 'app' });
  });
});
