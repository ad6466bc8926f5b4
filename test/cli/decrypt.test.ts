import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { createWorld } from '../../src/cli/world.ts';
import { systemRandom } from '../../src/util/random.ts';
import { systemClock } from '../../src/util/time.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'runner-decrypt-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** Sends SIGINT as soon as a handler is installed. */
class Interrupted extends EventEmitter {
  override on(name: string, listener: () => void): this {
    if (name === 'SIGINT') listener();
    return super.on(name, listener);
  }
}

describe('an interrupted "runner decrypt"', () => {
  it('leaves no file, prints a message, and exits with 130', async () => {
    const identity = await generateIdentity();
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(identity));
    const file = join(dir, 'backup.tar.age');
    writeFileSync(file, await encrypter.encrypt(Buffer.alloc(300_000, 7)));
    writeFileSync(join(dir, 'key'), `${identity}\n`);
    const said: string[] = [];
    const stderr = new Writable({
      write: (chunk: Buffer, _, done) => {
        said.push(chunk.toString());
        done();
      },
    });
    const world = createWorld({
      ...{
        env: {},
        stdout: stderr,
        stderr,
        stdin: new Readable({ read: () => undefined }),
        readStdin: () => Buffer.alloc(0),
      },
      ...{
        signals: new Interrupted(),
        clock: systemClock,
        random: systemRandom,
        program: 'runner',
      },
    });
    const code = await main(['decrypt', file, '-i', join(dir, 'key')], world);
    expect(code).toBe(130);
    expect(said.join('')).toContain(`"${join(dir, 'backup.tar')}" was not written.`);
    expect(readdirSync(dir).sort()).toEqual(['backup.tar.age', 'key']);
  });
});
