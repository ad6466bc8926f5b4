import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { parse } from 'yaml';
import { TaskError } from '../core/errors.ts';
import { isJsonObject, type JsonValue } from '../core/json.ts';
import type { HostView, Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    file: {
      type: 'string',
      minLength: 1,
      description: 'YAML or JSON file in "vars/" of the role or playbook, or beside it.',
    },
    name: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
      description: 'One variable that holds all of it, instead of one for each name.',
    },
  },
  required: ['file'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const include_vars: Module<FromSchema<typeof schema>> = {
  name: 'include_vars',
  summary: 'Set variables of the host from a file of the controller.',
  schema,
  shorthand: 'file',
  readOnly: true,

  async plan({ file, name }, host) {
    const text = (await read(file, host)).toString('utf8');
    let value: JsonValue;
    try {
      value = parse(text) as JsonValue;
    } catch (error) {
      const why = (error as Error).message.split('\n')[0] ?? '';
      throw new TaskError(`"${file}" is not YAML: ${why}`, { cause: error });
    }
    if (!isJsonObject(value)) throw new TaskError(`"${file}" is no map of names and values.`);
    return { actions: [], setFacts: name === undefined ? value : { [name]: value } };
  },
};

/** In `vars/` first, as others have it. */
async function read(file: string, host: HostView): Promise<Buffer> {
  try {
    return await host.controllerFile(`vars/${file}`);
  } catch {
    return host.controllerFile(file);
  }
}
