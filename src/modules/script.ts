import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { toText } from './lib/file-plan.ts';
import { effectOfRun, planRun, runProperties, splitWords } from './lib/run.ts';

const { chdir, creates, removes, read_only } = runProperties;
const schema = {
  type: 'object',
  properties: {
    cmd: {
      type: 'string',
      minLength: 1,
      description:
        'Script in "files/" of the role or beside the playbook, followed by its arguments.',
    },
    executable: {
      type: 'string',
      minLength: 1,
      description: 'Interpreter, instead of the one in the first line of the script.',
    },
    chdir,
    creates,
    removes,
    read_only,
  },
  required: ['cmd'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** Runs the script from a temporary file that only its owner can access, and removes the file in any case. */
const RUN = `t=$(mktemp) || exit 1
trap 'rm -f "$t"' EXIT
trap 'exit 143' TERM INT HUP
cat >"$t" && chmod 700 "$t" || exit 1
"$@" </dev/null`;

export const script: Module<FromSchema<typeof schema>> = {
  name: 'script',
  summary: 'Run a script from the controller on the host.',
  args: schema,
  effect: effectOfRun,
  shorthand: 'cmd',

  async plan({ cmd, executable, ...args }, { host, controller }) {
    const [path = '', ...words] = splitWords(cmd);
    const text = toText(await controller.file(path));
    if (text === undefined)
      throw new TaskError(`"${path}" is not a script: it contains binary data.`);
    const how = executable === undefined ? '"$t"' : `"$e" "$t"`;
    const setup = RUN.replace('"$@"', `${how} "$@"`);
    const program = executable === undefined ? setup : `e=$1; shift\n${setup}`;
    const argv = [
      '/bin/sh',
      '-c',
      program,
      path,
      ...(executable === undefined ? [] : [executable]),
    ];
    return planRun([...argv, ...words], { ...args, stdin: text }, host);
  },
};
