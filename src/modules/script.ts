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
      description: 'Script in "files/" of the role or beside the playbook, and its arguments.',
    },
    executable: {
      type: 'string',
      minLength: 1,
      description: 'Program that runs it, instead of what its first line names.',
    },
    chdir,
    creates,
    removes,
    read_only,
  },
  required: ['cmd'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The script lies on the host while it runs, for its owner alone, whatever becomes of it. */
const RUN = `t=$(mktemp) || exit 1
trap 'rm -f "$t"' EXIT
trap 'exit 143' TERM INT HUP
cat >"$t" && chmod 700 "$t" || exit 1
"$@" </dev/null`;

export const script: Module<FromSchema<typeof schema>> = {
  name: 'script',
  summary: 'Run a script of the controller on the host.',
  args: schema,
  effect: effectOfRun,
  shorthand: 'cmd',

  async plan({ cmd, executable, ...args }, { host, controller }) {
    const [path = '', ...words] = splitWords(cmd);
    const text = toText(await controller.file(path));
    if (text === undefined) throw new TaskError(`"${path}" is no text, so it is no script.`);
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
