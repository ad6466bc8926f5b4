import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import type { JsonObject } from '../core/json.ts';
import { quote, quoteAll } from '../util/shell.ts';
import { objectOf } from './container.ts';

export const objectKinds = ['volume', 'network', 'service', 'config', 'secret'] as const;

const engineCall = (call: string): string => quoteAll(JSON.parse(call) as string[]);

/** Names of all objects of one kind. The call is words as JSON. */
export const dockerNames: Fact<[call: string, kind: string], string[]> = {
  name: 'docker.names',
  command: (call, kind) => ({
    script: `${engineCall(call)} ${quote(kind)} ls --format '{{.Name}}'`,
  }),
  parse({ code, stdout, stderr }, _call, kind) {
    if (code !== 0) throw new TaskError(`The engine does not list its ${kind}s: ${stderr.trim()}`);
    return stdout.split('\n').filter((line) => line !== '');
  },
};

/** All objects of one kind as `docker KIND inspect` prints them. Objects that vanish in between are left out. */
export const dockerObjects: Fact<[call: string, kind: string], JsonObject[]> = {
  name: 'docker.objects',
  command(call, kind) {
    const engine = `${engineCall(call)} ${quote(kind)}`;
    return {
      script: `rw=$(${engine} ls -q) && if [ -n "$rw" ]; then ${engine} inspect $rw; else echo '[]'; fi`,
    };
  },
  parse({ code, stdout, stderr }, _call, kind) {
    try {
      // The exit code is 1 as soon as one object is missing; the others are printed all the same.
      if (code === 0 || stdout.trim() !== '') return JSON.parse(stdout) as JsonObject[];
    } catch {
      // Reported below.
    }
    throw new TaskError(`The engine does not describe its ${kind}s: ${stderr.trim()}`);
  },
};

/** What the engine says of the Swarm it takes part in. */
export const swarmState: Fact<[call: string], { active: boolean; manager: boolean }> = {
  name: 'docker.swarm',
  command: (call) => ({ script: `${engineCall(call)} info --format '{{json .Swarm}}'` }),
  parse({ code, stdout, stderr }) {
    if (code !== 0) throw new TaskError(`The engine does not describe its Swarm: ${stderr.trim()}`);
    const said = objectOf(JSON.parse(stdout) as JsonObject);
    return {
      active: said['LocalNodeState'] === 'active',
      manager: said['ControlAvailable'] === true,
    };
  },
};
