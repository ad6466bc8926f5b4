import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { objectOf, type JsonObject } from '../core/json.ts';
import { quote, quoteAll } from '../util/shell.ts';

export const objectKinds = ['volume', 'network', 'service', 'config', 'secret'] as const;
export type ObjectKind = (typeof objectKinds)[number];

const engineCall = (call: string): string => quoteAll(JSON.parse(call) as string[]);

/** Names of all objects of one kind. The call is a JSON list of words. */
export const dockerNames: Fact<[call: string, kind: string], string[]> = {
  name: 'docker.names',
  command: (call, kind) => ({
    script: `${engineCall(call)} ${quote(kind)} ls --format '{{.Name}}'`,
  }),
  parse({ code, stdout, stderr }, _call, kind) {
    if (code !== 0) throw new TaskError(`Cannot list the ${kind}s of the engine: ${stderr.trim()}`);
    return stdout.split('\n').filter((line) => line !== '');
  },
};

/** All objects of one kind as `docker KIND inspect` prints them. Objects that are removed in between are left out. */
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
      // The exit code is 1 as soon as one object is missing; the others are printed nevertheless.
      if (code === 0 || stdout.trim() !== '') return JSON.parse(stdout) as JsonObject[];
    } catch {
      // Reported below.
    }
    throw new TaskError(`Cannot inspect the ${kind}s of the engine: ${stderr.trim()}`);
  },
};

/** Whether the engine is part of a Swarm, and whether it is a manager. */
export const swarmState: Fact<[call: string], { active: boolean; manager: boolean }> = {
  name: 'docker.swarm',
  command: (call) => ({ script: `${engineCall(call)} info --format '{{json .Swarm}}'` }),
  parse({ code, stdout, stderr }) {
    if (code !== 0)
      throw new TaskError(`Cannot read the Swarm state of the engine: ${stderr.trim()}`);
    const said = objectOf(JSON.parse(stdout) as JsonObject);
    return {
      active: said['LocalNodeState'] === 'active',
      manager: said['ControlAvailable'] === true,
    };
  },
};

interface VolumeUse {
  /** Undefined if the measurement took too long. */
  kib: number | undefined;
  owner: string;
  group: string;
  mode: string;
}

/** Time limits in seconds for measuring one volume, and all of them. */
const MEASURE_SECONDS = 20;
const MEASURE_ALL_SECONDS = 240;

/** Size and owner of directories by path. Paths are a JSON list; missing directories are left out. */
export const directoryUse: Fact<[paths: string], Record<string, VolumeUse>> = {
  name: 'docker.volume_use',
  command(paths) {
    const list = quoteAll(JSON.parse(paths) as string[]);
    return {
      script: `number=0
end=$(($(date +%s) + ${String(MEASURE_ALL_SECONDS)}))
for rw in ${list}; do
  number=$((number + 1))
  [ -d "$rw" ] || continue
  size=
  [ "$(date +%s)" -ge "$end" ] || size=$(timeout ${String(MEASURE_SECONDS)} du -skx "$rw" 2>/dev/null) || size=
  echo "$((number - 1)) \${size%%[!0-9]*} $(stat -c '%U %G %a' "$rw")"
done`,
    };
  },
  parse({ code, stdout, stderr }, paths) {
    if (code !== 0) throw new TaskError(`Cannot measure the volumes: ${stderr.trim()}`);
    const all = JSON.parse(paths) as string[];
    const found: Record<string, VolumeUse> = {};
    for (const line of stdout.split('\n')) {
      const [, index, kib, owner, group, mode] =
        /^([0-9]+) ([0-9]*) (\S+) (\S+) ([0-7]+)$/.exec(line) ?? [];
      const path = all[Number(index)];
      if (path === undefined || owner === undefined || group === undefined || mode === undefined)
        continue;
      found[path] = { kib: kib === '' ? undefined : Number(kib), owner, group, mode };
    }
    return found;
  },
};
