/** Text of a file: one question to the host, and what its answer means. */
const fileText = {
  name: 'app.text',
  command: (path) => ({
    script: `if [ -e '${path}' ]; then echo present; cat '${path}'; else echo absent; fi`,
  }),
  parse({ code, stdout, stderr }, path) {
    if (code !== 0) throw new Error(`${path} cannot be read: ${stderr}`);
    return stdout.startsWith('present\n') ? stdout.slice('present\n'.length) : undefined;
  },
};

const valueIn = (text, name) =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/** The text with one setting changed where it stands, added at the end, or, when it is undefined, left out. */
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
  summary: 'Keep one setting in a file of NAME=VALUE lines, or keep it out.',
  args: {
    type: 'object',
    properties: {
      path: { type: 'string', pattern: "^/[^']*$", description: 'The file, which must be there.' },
      name: { type: 'string', pattern: '^[a-z_]+$', description: 'Name of the setting.' },
      value: {
        type: 'string',
        pattern: '^[^\\n]*$',
        description: 'Its value. Kept out when absent.',
      },
    },
    required: ['path', 'name'],
    additionalProperties: false,
  },

  effect: 'restores',

  async plan({ path, name, value }, { host }) {
    const text = await host.fact(fileText, path);
    if (text === undefined) throw new Error(`there is no file ${path} on ${host.name}.`);
    const before = valueIn(text, name);
    if (before === value) return { actions: [] };
    const content = withValue(text, name, value);
    // The same module, asked for what it found.
    const found = { path, name, ...(before === undefined ? {} : { value: before }) };
    return {
      actions: [{ kind: 'write', path, content }],
      undo: { calls: [{ module: 'app_setting', args: found }] },
      diff: [{ path, before: text, after: content }],
    };
  },
};
