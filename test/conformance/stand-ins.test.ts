import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { itAnswers, type Answer, type Arrangement } from './asker.ts';
import { chapters, REASONS, type HostName, type Reason } from './questions.ts';

const EMBEDDED_LACKS: readonly Reason[] = ['processes', 'users', 'usr', 'time'];

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(2);
});
afterAll(() => bench.stop());

const ask = async (host: HostName, command: string, stdin: string): Promise<Answer> => {
  const child = bench.lab.host(host).root.spawn(command);
  const streams = [child.stdout, child.stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
    return chunks;
  });
  // A command that does not read its input may have ended already.
  child.stdin?.on('error', () => undefined).end(stdin);
  const [code] = (await once(child, 'close')) as [number];
  const [stdout = '', stderr = ''] = streams.map((chunks) =>
    Buffer.concat(chunks).toString('utf8'),
  );
  return { code, stdout, stderr };
};

/** Installs the stand-in of a release on both hosts. */
const install = async (version: string): Promise<void> => {
  await bench.reset();
  for (const host of ['h1', 'h2'])
    await bench.shell(
      host,
      `sed 's/^version=.*/version=${version}/' /usr/local/lib/lab/k0s >/usr/local/bin/k0s && chmod 755 /usr/local/bin/k0s
mkdir -p /run/cluster/addresses && echo "10.77.0.1$(hostname | tr -d h)" >/run/cluster/addresses/$(hostname)`,
    );
};

// The default of the upgrade, and the oldest release that was observed, not only read in its source.
describe.each(['v1.29.15+k0s.0', 'v1.29.3+k0s.0'])('the stand-in answers as k0s %s', (version) => {
  const arrangement: Arrangement = {
    version,
    lacks: EMBEDDED_LACKS,
    functions: () =>
      'own_address() { cat "/run/cluster/addresses/$(hostname)"; }; bring_images() { :; }; pause() { :; }',
    ask,
  };
  beforeAll(() => install(version));
  itAnswers(chapters, arrangement, () => arrangement);
});

describe('docs/lab.md', () => {
  it('lists every reason why a stand-in cannot answer a question', () => {
    const page = readFileSync(join(packageRoot(), 'docs', 'lab.md'), 'utf8');
    const needs = chapters.flatMap(({ questions }) => questions.flatMap((one) => one.needs ?? []));
    expect(new Set(needs)).toEqual(new Set(Object.keys(REASONS)));
    for (const reason of Object.values(REASONS)) expect(page).toContain(reason);
  });
});
