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
        'Folder of such files, instead of file. They are read in the order of their names, and later ones win.',
    },
    depth: {
      type: 'integer',
      minimum: 1,
      description: 'So many levels of folders are read, dir itself included. Default: all.',
    },
    extensions: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description: 'Which files of the folder are read. Default: [yaml, yml, json].',
    },
    name: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
      description: 'One variable that holds all of it, instead of one for each name.',
    },
  },
  oneOf: [{ required: ['file'] }, { required: ['dir'] }],
  dependencies: { depth: ['dir'], extensions: ['dir'] },
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const include_vars: Module<Args> = {
  name: 'include_vars',
  summary: 'Set variables of the host from files of the controller.',
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

/** As the check of a playbook does where variables stand in it. */
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

/** All variables of the files of a folder. */
async function readAll(args: Args, controller: Controller): Promise<JsonObject> {
  const { dir = '', depth = Infinity, extensions = ['yaml', 'yml', 'json'] } = args;
  const endings = extensions.map((one) => `.${one.replace(/^\./, '')}`);
  const folder = await inVarsFirst(`vars/${dir}`, dir, (path) => controller.folder(path));
  if (!folder) throw new TaskError(`"${dir}" is a file.`, { hint: `Say: file: ${dir}.` });
  const chosen = folder.entries.filter(
    ({ type, path }) =>
      type === 'file' &&
      path.split('/').length <= depth &&
      endings.some((ending) => path.endsWith(ending)),
  );
  const all = await Promise.all(
    chosen.map(({ path }) => read(`${folder.path}/${path}`, undefined, controller)),
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
    throw new TaskError(`"${file}" is not YAML: ${why}`, { cause: error });
  }
  if (!isJsonObject(value)) throw new TaskError(`"${file}" is no map of names and values.`);
  return value;
}

/** In `vars/` first, as others have it. */
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
