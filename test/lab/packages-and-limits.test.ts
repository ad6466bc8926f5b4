import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/output/events.ts';
import { hostsIn, stepNames } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { skipTime } from '../helpers/in-process.ts';
import { describeWith } from '../helpers/programs.ts';

const TOOL_SHA256 = '67948dd9afd6afe5043b0029d5aa7cf0f8b2824baf16f4f097d40d830edb686d';
const OTHER_SHA256 = 'ab'.repeat(32);
const served: Record<string, string> = {
  '/tool': 'tool\n',
  '/sums.txt': `${OTHER_SHA256} *tool.sig\n${TOOL_SHA256} *tool\n`,
  '/wrong-sums.txt': `${OTHER_SHA256} *tool\n`,
  '/other-sums.txt': `${TOOL_SHA256} *tool.sig\n`,
};

let bench: HostsBench;
let server: Server;
let url = '';
/** The credentials of each request. */
let seen: (string | undefined)[] = [];
beforeAll(async () => {
  bench = await HostsBench.start(2);
  server = createServer((request, response) => {
    seen.push(request.headers.authorization ?? request.headers['x-token']?.toString());
    const text = served[request.url ?? ''];
    response.statusCode = text === undefined ? 404 : 200;
    response.end(text ?? 'no');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterAll(async () => {
  server.close();
  await bench.stop();
});
beforeEach(async () => {
  seen = [];
  await bench.reset();
});

describeWith('curl')('get_url', () => {
  const play = (args: string, extra: string[] = []) =>
    bench.play(
      `- { name: Get, hosts: all, tasks: [{ name: Get, get_url: { url: '${url}/tool', dest: /etc/tool, ${args} } }] }`,
      extra,
    );

  it('downloads a file on the hosts only if it is missing, and restores a replaced file', async () => {
    const first = await play("mode: '0755'");
    expect(first.code, first.stdout).toBe(0);
    expect(bench.read('h2', 'etc/tool')).toBe('tool\n');
    const again = await play("mode: '0755'");
    expect(hostsIn(again.events, 'Get', 'ok').sort()).toEqual(['h1', 'h2']);
    bench.forgetRuns();
    await bench.play(
      '- { name: Change, hosts: all, tasks: [{ name: Old, copy: { content: old, dest: /etc/tool } }] }',
    );
    bench.forgetRuns();
    const forced = await play('force: true', ['--fail-at', 'last']);
    expect(forced.code).toBe(3);
    expect(bench.read('h1', 'etc/tool')).toBe('old');
  });

  it('keeps the existing file after an HTTP error or a wrong checksum', async () => {
    await bench.shell('h1', 'printf old >/etc/tool');
    const wrong = await play("checksum: 'sha256:00ff'");
    expect(wrong.code).toBe(3);
    expect(wrong.stdout).toContain('the downloaded file has another checksum');
    expect(bench.read('h1', 'etc/tool')).toBe('old');
    bench.forgetRuns();
    const right = await play(`checksum: 'sha256:${TOOL_SHA256}'`);
    expect(right.code, right.stdout).toBe(0);
    bench.forgetRuns();
    const missing = await bench.play(
      `- { name: Get, hosts: h1, tasks: [{ name: Get, get_url: { url: '${url}/nothing', dest: /etc/other } }] }`,
    );
    expect(missing.stdout).toContain('404');
    expect(bench.read('h1', 'etc/other')).toBeUndefined();
    expect(bench.read('h1', 'etc/other.runner-tmp')).toBeUndefined();
  });

  it('reads the checksum from a published list of checksums', async () => {
    await bench.shell('h1', 'printf old >/etc/tool');
    const wrong = await play(`checksum: 'sha256:${url}/wrong-sums.txt', force: true`);
    expect(wrong.code).toBe(3);
    expect(wrong.stdout).toContain('the downloaded file has another checksum');
    bench.forgetRuns();
    const unlisted = await play(`checksum: 'sha256:${url}/other-sums.txt', force: true`);
    expect(unlisted.stdout).toContain('other-sums.txt has no sha256 checksum of \\"tool\\".');
    expect(bench.read('h1', 'etc/tool')).toBe('old');
    bench.forgetRuns();
    const sums = `checksum: 'sha256:${url}/sums.txt'`;
    const right = await play(sums);
    expect(right.code, right.stdout).toBe(0);
    expect(bench.read('h1', 'etc/tool')).toBe('tool\n');
    const again = await play(`${sums}, force: true`);
    expect(hostsIn(again.events, 'Get', 'ok').sort()).toEqual(['h1', 'h2']);
  });

  it('sends headers and passwords', async () => {
    await play(`force: true, headers: { X-Token: 'a "quoted\\ one' }`);
    await play(`force: true, url_username: me, url_password: secret`);
    expect(new Set(seen)).toEqual(
      new Set(['a "quoted\\ one', `Basic ${Buffer.from('me:secret').toString('base64')}`]),
    );
  });
});

describe('apt', () => {
  const prepare = `
- name: Prepare
  hosts: all
  tasks:
    - name: Offer
      shell: for p in a b c; do mkdir -p /var/lib/lab/apt/$p; for v in 1 2; do echo >/var/lib/lab/apt/$p/$v; done; done
    - name: Install
      apt: { name: [a=1, b=1] }
`;
  const installed = () =>
    (bench.read('h1', 'var/lib/dpkg/status') ?? '')
      .split('\n')
      .filter((line) => /^(Package|Version)/.test(line))
      .map((line) => line.split(' ')[1])
      .join(' ');

  it('restores the previous packages in their previous versions', async () => {
    const first = await bench.play(prepare);
    expect(first.code, first.stdout).toBe(0);
    expect(installed()).toBe('a 1 b 1');
    bench.forgetRuns();
    const { code, stdout } = await bench.play(`
- name: Change
  hosts: all
  tasks:
    - { name: Newer, apt: { name: [a, c], state: latest, update_cache: true } }
    - { name: Fewer, apt: { name: b, state: absent } }
    - { name: There, assert: { that: ['"x" == "y"'] } }
`);
    expect(code, stdout).toBe(3);
    expect(stdout).toContain('undone), verified.');
    expect(installed()).toBe('a 1 b 1');
  });

  it('reports no change if an updated package index has no newer packages', async () => {
    await bench.play(prepare);
    bench.forgetRuns();
    const play = `- { name: U, hosts: all, tasks: [{ name: Up, apt: { upgrade: safe, update_cache: true } }] }`;
    expect(hostsIn((await bench.play(play)).events, 'Up', 'changed')).toHaveLength(2);
    const { events } = await bench.play(play);
    expect(hostsIn(events, 'Up', 'ok')).toHaveLength(2);
    expect(installed()).toBe('a 2 b 2');
  });
});

describe('retries, delay and timeout', () => {
  it('accept templates', async () => {
    const { code, events } = await bench.play(
      `
- name: Limits
  hosts: h1
  vars: { patience: 2, pause: '0' }
  tasks:
    - name: Try
      shell: 'false'
      args: { read_only: true }
      until: result.rc == 0
      retries: '{{patience}}'
      delay: '{{pause}}'
`,
    );
    expect(code).toBe(2);
    expect(events.filter(({ type }) => type === 'unit-retry')).toHaveLength(2);
  });

  it('must be numbers of at least 0', async () => {
    const wrong = await bench.play(
      `- { name: L, hosts: h1, vars: { a: x }, tasks: [{ name: T, command: 'true', undo: none, timeout: '{{a}}' }] }`,
    );
    expect(wrong.stdout).toContain('\\"timeout\\" must be a number of at least 0, not \\"x\\".');
    const negative = await bench.play(
      `- { name: L, hosts: h1, tasks: [{ name: T, command: 'true', undo: none, retries: -1 }] }`,
    );
    expect(negative.stderr).toContain('"retries" must be a number of at least 0.');
  });
});

describe('time_limit', () => {
  /** Ten minutes pass in task "Wait". */
  const exceedLimit = (event: RunEvent): void => {
    if (event.type === 'step-start' && event.step.name === 'Wait') skipTime(600);
  };

  it('rolls back a run that exceeds it', async () => {
    const { code, events, stdout } = await bench.play(
      `
name: Slow
inputs: { minutes: { type: number, default: 10 } }
time_limit: '{{multiply minutes 60}}'
plays:
  - name: Slow
    hosts: h1
    tasks:
      - { name: Write, copy: { content: x, dest: /etc/slow } }
      - { name: Wait, pause: { seconds: 1 } }
      - { name: Never, copy: { content: x, dest: /etc/never } }
`,
      [],
      { onEvent: exceedLimit },
    );
    expect(code).toBe(3);
    expect(stdout).toContain('The playbook exceeded its time limit.');
    expect(bench.read('h1', 'etc/slow')).toBeUndefined();
    expect(stepNames(events)).toEqual(['Write', 'Wait']);
  });

  it('does not end a run after its point of no return', async () => {
    const { code, stdout } = await bench.play(
      `
name: Slow
time_limit: 600
plays:
  - name: Slow
    hosts: h1
    tasks:
      - { name: Write, copy: { content: x, dest: /etc/slow } }
      - { commit: gone, irreversible: it is gone }
      - { name: Wait, pause: { seconds: 1 } }
      - { name: After, copy: { content: x, dest: /etc/after } }
`,
      ['--accept-irreversible', 'gone'],
      { onEvent: exceedLimit },
    );
    expect(code, stdout).toBe(0);
    expect(bench.read('h1', 'etc/after')).toBe('x');
  });
});
