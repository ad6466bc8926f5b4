import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { objectOf, type JsonObject, type JsonValue } from '../core/json.ts';
import { quote, quoteAll } from '../util/shell.ts';

export interface Container {
  name: string;
  id: string;
  /** As it was asked for, such as "nginx:1.27". */
  image: string;
  /** What that was when the container was made. */
  imageId: string;
  /** In the words of the engine: created, running, paused, restarting, exited, dead. */
  status: string;
  running: boolean;
  /** Made with --rm: the engine removes it by itself when it stops. */
  vanishes: boolean;
  labels: JsonObject;
  /** In the words of `docker update --restart`, such as "no" or "on-failure:3". */
  restartPolicy: string;
  /** All that the engine says of it. */
  inspected: JsonObject;
}

/** Containers that fit all filters, in order of their names. Call and filters are words as JSON. */
export const containers: Fact<[call: string, filters: string], Container[]> = {
  name: 'container.list',
  command(call, filters) {
    const engine = quoteAll(JSON.parse(call) as string[]);
    const given = (JSON.parse(filters) as string[]).map((one) => `--filter ${quote(one)}`);
    return {
      script: `rw=$(${engine} ps -aq --no-trunc ${given.join(' ')}) && if [ -n "$rw" ]; then ${engine} inspect --type container $rw; else echo '[]'; fi`,
    };
  },
  parse({ code, stdout, stderr }) {
    if (code !== 0)
      throw new TaskError(`The engine does not list its containers: ${stderr.trim()}`);
    return (JSON.parse(stdout) as JsonObject[])
      .map(parseContainer)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  },
};

function parseContainer(inspected: JsonObject): Container {
  const state = objectOf(inspected['State']);
  const config = objectOf(inspected['Config']);
  const host = objectOf(inspected['HostConfig']);
  return {
    name: textOf(inspected['Name']).replace(/^\//, ''),
    id: textOf(inspected['Id']),
    image: textOf(config['Image']),
    imageId: textOf(inspected['Image']),
    status: textOf(state['Status']),
    running: state['Running'] === true,
    vanishes: host['AutoRemove'] === true,
    labels: objectOf(config['Labels']),
    restartPolicy: policyOf(objectOf(host['RestartPolicy'])),
    inspected,
  };
}

/** The engine calls the policy of a container that was made without one "no" or "". */
function policyOf({ Name, MaximumRetryCount: count }: JsonObject): string {
  const name = textOf(Name) || 'no';
  return name === 'on-failure' && typeof count === 'number' && count > 0
    ? `${name}:${String(count)}`
    : name;
}

/** Id of an image by its name; undefined when the engine has none. */
export const imageId: Fact<[call: string, image: string], string | undefined> = {
  name: 'container.image',
  command: (call, image) => ({
    script: quoteAll([
      ...(JSON.parse(call) as string[]),
      ...['image', 'inspect', '--format', '{{.Id}}', image],
    ]),
  }),
  parse({ code, stdout, stderr }, _call, image) {
    if (code === 0) return stdout.trim();
    if (/no such image/i.test(stderr)) return undefined;
    throw new TaskError(`The engine does not say whether it has "${image}": ${stderr.trim()}`);
  },
};

/** Whether the host has a program. */
export const hasProgram: Fact<[program: string], boolean> = {
  name: 'system.program',
  command: (program) => ({
    script: `if command -v ${quote(program)} >/dev/null; then echo yes; else echo no; fi`,
  }),
  parse: ({ stdout }) => stdout.trim() === 'yes',
};

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
