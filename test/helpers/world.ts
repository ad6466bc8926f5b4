import { EventEmitter } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { builtinModules } from '../../src/cli/builtin-modules.ts';
import { createWorld, type World } from '../../src/cli/world.ts';
import { systemRandom } from '../../src/util/random.ts';
import { systemClock } from '../../src/util/time.ts';

/** A world without a terminal, with every module. Its output is discarded. */
export function quietWorld(env: Record<string, string> = {}): World {
  const nowhere = () =>
    new Writable({
      write(_chunk, _encoding, done) {
        done();
      },
    });
  const world = createWorld({
    env,
    stdout: nowhere(),
    stderr: nowhere(),
    stdin: new Readable({ read: () => undefined }),
    readStdin: () => Buffer.alloc(0),
    signals: new EventEmitter(),
    clock: systemClock,
    random: systemRandom,
    program: '',
  });
  return { ...world, modules: builtinModules, builtin: builtinModules };
}
