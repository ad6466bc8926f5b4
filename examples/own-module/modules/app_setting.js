/** A fact, the text of a file: the command that reads it from the host, and the parser of its output. */
const fileText = {
  name: 'app.text',
  command: (path) => ({
    script: `if [ -e '${path}' ]; then echo present; cat '${path}'; else echo absent; fi`,
  }),
  parse({ code, stdout, stderr }, path) {
    if (code !== 0) throw new Error(`cannot read ${path}: ${stderr}`);
    return stdout.startsWith('present\n') ? stdout.slice('present\n'.length) : undefined;
  },
};

const valueIn = (text, name) =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/** Changes a setting in place or appends it. Removes the setting if the value is undefined. */
function withValue(text, name, value) {
  const lines = text.split('\n').filter((line) => line !== '');
  const at = lines.findIndex((line) => line.startsWith(`${name}=`));
  const entry = value === undefined ? [] : [`${name}=${value}`];
  if (at === -1) lines.push(...entry);
  else lines.splice(at, 1, ...entry);
  return lines.map((line) => `${line}\n`).join('');
}

export default {
  name: 'app_setting',
  summary: 'Set or remove a setting in a file of NAME=VALUE lines.',
  args: {
    type: 'object',
    properties: {
      path: {
        type: 'string',
        pattern: "^/[^']*$",
        description: 'Path of the file, which must exist.',
      },
      name: { type: 'string', pattern: '^[a-z_]+$', description: 'Name of the setting.' },
      value: {
        type: 'string',
        pattern: '^[^\\n]*$',
        description: 'Value of the setting. Without it, the setting is removed.',
      },
    },
    required: ['path', 'name'],
    additionalProperties: false,
  },

  effect: 'restores',

  async plan({ path, name, value }, { host }) {
    const text = await host.fact(fileText, path);
    if (text === undefined) throw new Error(`file ${path} does not exist on ${host.name}.`);
    const before = valueIn(text, name);
    if (before === value) return { actions: [] };
    const content = withValue(text, name, value);
    // The undo calls this module with the previous value.
    const found = { path, name, ...(before === undefined ? {} : { value: before }) };
    return {
      actions: [{ kind: 'write', path, content }],
      undo: { calls: [{ module: 'app_setting', args: found }] },
      diff: [{ path, before: text, after: content }],
    };
  },
};
