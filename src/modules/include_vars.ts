import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { parse } from 'yaml';
import { TaskError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Controller, Module } from '../core/module.ts';
import { connectionVariable } from '../util/connection-variables.ts';

const schema = {
  type: 'object',
  properties: {
    file: {
      type: 'string',
      minLength: 1,
      description: 'YAML or JSON file in "vars/" of the role or playbook, or beside it.',
    },
    dir: {
      type: 'string',
      minLength: 1,
      description:
        'Directory of such files, instead of file. They are read in the order of their names; later files override earlier ones.',
    },
    depth: {
      type: 'integer',
      minimum: 1,
      description: 'Number of directory levels to read, including dir itself. Default: all.',
    },
    extensions: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description: 'File name extensions to read. Default: [yaml, yml, json].',
    },
    name: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
      description: 'Variable to store all values in, instead of one variable for each name.',
    },
  },
  oneOf: [{ required: ['file'] }, { required: ['dir'] }],
  dependencies: { depth: ['dir'], extensions: ['dir'] },
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const include_vars: Module<Args> = {
  name: 'include_vars',
  summary: 'Set variables of the host from files on the controller.',
  args: schema,
  shorthand: 'file',
  effect: 'reads',

  async plan(args, { controller }) {
    const { file, name } = args;
    const value =
      file === undefined
        ? await readAll(args, controller)
        : await read(file, `vars/${file}`, controller);
    if (name === undefined) refuseConnection(value, file ?? args.dir ?? '');
    const facts = name === undefined ? value : { [name]: value };
    return { actions: [], run: [{ kind: 'set-facts', facts }] };
  },
};

/** The check of a playbook refuses the same variables in "vars". */
function refuseConnection(values: JsonObject, from: string): void {
  const found = Object.keys(values).find((name) => {
    const row = connectionVariable(name);
    return row !== undefined && row.is !== 'unneeded';
  });
  if (found !== undefined)
    throw new TaskError(`"${found}" in "${from}" would have no effect.`, {
      hint: 'Set it in the inventory or with --extra-vars, or use the keywords of tasks.',
    });
}

/** All variables in the files of a directory. */
async function readAll(args: Args, controller: Controller): Promise<JsonObject> {
  const { dir = '', depth = Infinity, extensions = ['yaml', 'yml', 'json'] } = args;
  const endings = extensions.map((one) => `.${one.replace(/^\./, '')}`);
  const directory = await inVarsFirst(`vars/${dir}`, dir, (path) => controller.directory(path));
  if (!directory)
    throw new TaskError(`"${dir}" is a file, not a directory.`, { hint: `Use "file: ${dir}".` });
  const chosen = directory.entries.filter(
    ({ type, path }) =>
      type === 'file' &&
      path.split('/').length <= depth &&
      endings.some((ending) => path.endsWith(ending)),
  );
  const all = await Promise.all(
    chosen.map(({ path }) => read(`${directory.path}/${path}`, undefined, controller)),
  );
  return Object.assign({}, ...all) as JsonObject;
}

async function read(
  file: string,
  first: string | undefined,
  controller: Controller,
): Promise<JsonObject> {
  const bytes = await inVarsFirst(first, file, (path) => controller.file(path));
  let value: JsonValue;
  try {
    value = parse(bytes.toString('utf8')) as JsonValue;
  } catch (error) {
    const why = (error as Error).message.split('\n')[0] ?? '';
    throw new TaskError(`"${file}" is not valid YAML: ${why}`, { cause: error });
  }
  if (!isJsonObject(value))
    throw new TaskError(`"${file}" is not a map of variable names and values.`);
  return value;
}

/** Looks in `vars/` first, as Ansible does. */
async function inVarsFirst<T>(
  first: string | undefined,
  path: string,
  get: (path: string) => Promise<T>,
): Promise<T> {
  if (first === undefined) return get(path);
  try {
    return await get(first);
  } catch {
    return get(path);
  }
}
