import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { objectOf, type JsonObject, type JsonValue } from '../core/json.ts';
import { quote, quoteAll } from '../util/shell.ts';

export interface Container {
  name: string;
  id: string;
  /** Image name given at creation, such as "nginx:1.27". */
  image: string;
  /** ID of that image at creation. */
  imageId: string;
  /** As the engine reports it: created, running, paused, restarting, exited, dead. */
  status: string;
  running: boolean;
  /** Created with --rm: the engine removes it when it stops. */
  autoRemove: boolean;
  labels: JsonObject;
  /** As for `docker update --restart`, such as "no" or "on-failure:3". */
  restartPolicy: string;
  /** Output of `docker inspect`. */
  inspected: JsonObject;
}

/** Containers that match all filters, sorted by name. Call and filters are JSON lists of words. */
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
      throw new TaskError(`Cannot list the containers of the engine: ${stderr.trim()}`);
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
    autoRemove: host['AutoRemove'] === true,
    labels: objectOf(config['Labels']),
    restartPolicy: policyOf(objectOf(host['RestartPolicy'])),
    inspected,
  };
}

/** The engine reports "no" or "" for a container without a restart policy. */
function policyOf({ Name, MaximumRetryCount: count }: JsonObject): string {
  const name = textOf(Name) || 'no';
  return name === 'on-failure' && typeof count === 'number' && count > 0
    ? `${name}:${String(count)}`
    : name;
}

/** ID of an image by its name; undefined if the engine does not have it. */
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
    throw new TaskError(`Cannot look up the image "${image}": ${stderr.trim()}`);
  },
};

/** Whether a program is installed on the host. */
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
