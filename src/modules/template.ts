import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { destinationProperties, fileProperties, planFile } from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    src: {
      type: 'string',
      description: 'Handlebars file in "templates/" of the role or beside the playbook.',
    },
    ...destinationProperties,
    ...fileProperties,
  },
  required: ['src', 'dest'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const template: Module<FromSchema<typeof schema>> = {
  name: 'template',
  summary: 'Render a template from the controller to a file on the host.',
  args: schema,
  effect: 'restores',

  async plan({ src, dest, force, ...attributes }, { host, controller }) {
    const content = Buffer.from(await controller.render(src));
    return planFile({ path: dest, content, keepExisting: force === false, ...attributes }, host);
  },
};
