import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { RealProgram } from '../../src/lab/real/programs.ts';
import { RealLab } from '../../src/lab/real/real-lab.ts';
import { itAnswers, type Answer, type Arrangement } from './asker.ts';
import { chapters, type Reason } from './questions.ts';

const BRING_IMAGES =
  'mkdir -p /var/lib/k0s/images && cp /opt/lab/images.tar /var/lib/k0s/images/lab.tar';

/** Time limit of one command, such as a start of k0s with all its pods. */
const LIMIT_MS = 300_000;

/** Declares the tests of a k0s binary; see ../all/real.test.ts. */
export function realK0sAnswers(k0s: RealProgram): void {
  answersOnRealHosts({ version: k0s.version, lacks: [] }, k0s);
}

/** Declares the tests of the stand-in on hosts of the real lab. */
export function realLabStandInAnswers(): void {
  answersOnRealHosts({ version: STAND_IN, lacks: ['processes', 'time'] });
}

/** The only release that the stand-in emulates. */
const STAND_IN = 'v1.29.15+k0s.0';

function answersOnRealHosts(
  { version, lacks }: { version: string; lacks: readonly Reason[] },
  k0s?: RealProgram,
): void {
  let lab: RealLab | undefined;
  let arrangement: Arrangement;
  beforeAll(async () => {
    const cache = process.env['RUNNER_LAB_CACHE'] ?? join(homedir(), '.cache', 'runner', 'lab');
    const started = await RealLab.start(['h1', 'h2'], cache, { k0s });
    lab = started;
    if (!k0s) {
      const text = readFileSync(started.k0sBinary, 'utf8');
      const put = 'cat >/usr/local/bin/k0s && chmod 755 /usr/local/bin/k0s';
      for (const { name } of started.hosts) await ask(started, name, put, text);
    }
    const images = k0s ? BRING_IMAGES : ':';
    arrangement = {
      ...{ version, lacks },
      functions: (host) => `own_address() { echo ${started.host(host).address}; }
bring_images() { ${images}; }
pause() { sleep "$1"; }`,
      ask: (host, command, stdin) => ask(started, host, command, stdin),
    };
  }, LIMIT_MS);
  afterAll(() => lab?.stop());
  itAnswers(chapters, { version, lacks }, () => arrangement);
}

function ask(lab: RealLab, host: string, command: string, stdin: string): Promise<Answer> {
  const [program, ...args] = lab.inside([
    ...['ssh', '-i', lab.key, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5'],
    ...['-o', `UserKnownHostsFile=${lab.knownHosts}`, `root@${lab.host(host).address}`, command],
  ]);
  return new Promise((resolve, reject) => {
    const options = { timeout: LIMIT_MS, maxBuffer: 1 << 26 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const code = error?.code ?? 0;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(new Error(`ssh to ${host} failed: ${code}`));
    });
    child.stdin?.on('error', () => undefined).end(stdin);
  });
}
