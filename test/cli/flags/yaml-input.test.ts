import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cli } from '../../helpers/cli.ts';

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.dispose();
});

const play = (...more: string[]) => cli.run(['play', 'upgrade.yml', ...given(), ...more]);
const given = () => [
  ...['--hosts-path', cli.file('hosts.yaml', 'all: { hosts: { a: } }\n')],
  ...['--mke3-admin-username', 'admin'],
  ...['--mke3-admin-password-file', cli.file('password', 'orca-wave\n'), '--tags', 'preflight'],
];

describe('an input with "format: yaml-file"', () => {
  it('reports the position of each error before any host is contacted', async () => {
    const file = cli.file(
      'accepted.yaml',
      `- id: no_k0s
  object: host a
  reson: typo
  until: 2026-02-30
- { id: No-K0s, object: host b, reason: ' ', until: soon }
- just text
- { id: space, object: host *, reason: why, until: 2027-01-31 }
`,
    );
    const { code, stderr } = await play('--acknowledge', file);
    expect(code).toBe(1);
    expect(stderr.replaceAll(file, 'FILE').trim().split('\n')).toEqual([
      'FILE:1:3: Key "reason" is missing.',
      'FILE:3:3: Unknown key "reson". Did you mean "reason"?',
      'FILE:4:10: "0.until" must be a date such as 2027-01-31.',
      'FILE:5:9: "1.id" has the wrong format.',
      `FILE:5:41: "1.reason" has the wrong format.`,
      'FILE:5:53: "1.until" must be a date such as 2027-01-31.',
      'FILE:6:3: "2" must be object.',
      expect.stringContaining('7 problems. No host was contacted.'),
    ]);
  });

  it.each([
    ['a map', 'id: no_k0s\n', ':1:1: The value must be array.'],
    ['nothing', '', ':1:1: The value must be array.'],
    ['broken YAML', '- {', ':1:4: '],
  ])('refuses a file that contains %s', async (_, text, message) => {
    const file = cli.file('accepted.yaml', text);
    const { code, stderr } = await play('--acknowledge', file);
    expect(code).toBe(1);
    expect(stderr).toContain(`${file}${message}`);
  });

  it('reports a missing file', async () => {
    const { code, stderr } = await play('--acknowledge', '/nowhere/accepted.yaml');
    expect(code).toBe(1);
    expect(stderr).toContain(
      '--acknowledge: Cannot read "/nowhere/accepted.yaml": no such file or directory.',
    );
  });

  it('does not render templates in the file', async () => {
    const entry = { id: 'a', object: '{{#if', reason: "{{env 'HOME'}}", until: '2027-01-31' };
    const file = cli.file('accepted.yaml', JSON.stringify([entry]));
    const { code, stderr } = await play('--acknowledge', file, '--list-hosts');
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('a removed input', () => {
  const instead = 'pass it with --acknowledge FILE';

  it.each([
    ['a flag', ['--skip-checks', 'space']],
    ['a flag with "="', ['--skip-checks=space']],
    ['a flag without a value', ['--skip-checks']],
    ['a variable', ['--extra-vars', 'skip_checks:=["space"]']],
  ])('is refused as %s, with a hint that names the replacement', async (_, words) => {
    const { code, stderr } = await play(...words);
    expect(code).toBe(1);
    expect(stderr).toContain('The input "skip_checks" (--skip-checks) was removed.');
    expect(stderr).toContain(instead);
  });

  it('is refused as a variable of the inventory and as an input of a role or an overlay', async () => {
    const hosts = cli.file('own.yaml', 'all: { hosts: { a: { skip_checks: [space] } } }\n');
    const inInventory = await play('--hosts-path', hosts);
    expect(inInventory.stderr).toContain(instead);
    const role = cli.file(
      'role.yml',
      '- { name: P, hosts: all, roles: [{ role: mke3_preflight, inputs: { skip_checks: [space] } }] }\n',
    );
    const overlay = cli.file(
      'overlay.yml',
      'extends: upgrade.yml\ninputs: { skip_checks: { default: [space] } }\n',
    );
    for (const file of [role, overlay]) {
      const { code, stderr, stdout } = await cli.run(['validate', file]);
      expect(code).toBe(1);
      expect(stderr + stdout).toContain('cknowledge');
    }
  });

  it('is not listed in the help', async () => {
    const { stdout } = await cli.run(['play', 'upgrade.yml', '--help']);
    expect(stdout).not.toContain('--skip-checks');
    expect(stdout).toContain('--acknowledge <FILE>');
  });
});
