import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/**
 * Allowed imports per directory of src: other directories or single files of them, Node.js modules with I/O, and restricted packages.
 * `cli` may import everything.
 */
const mayImport = {
  core: ['util/archive', 'util/directory'],
  util: ['core', 'fs', 'os'],
  template: ['core', 'util', 'handlebars', '@marcbachmann/cel-js'],
  language: ['core', 'util', 'template'],
  yaml: ['core', 'util', 'template'],
  playbook: ['core', 'util', 'template', 'language', 'yaml'],
  inventory: ['core', 'template', 'util', 'yaml', 'fs', 'child_process'],
  transport: ['core', 'util', 'fs', 'os', 'child_process', 'net', 'http', 'https', 'ssh2'],
  journal: ['core', 'language', 'util', 'fs'],
  facts: ['core', 'util'],
  modules: ['core', 'facts', 'util', 'fs', 'net'],
  mke: ['core', 'facts', 'util', 'fs'],
  engine: ['core', 'journal', 'language', 'template', 'util'],
  output: ['core', 'journal', 'language', 'util', 'listr2'],
  lab: ['core', 'util', 'fs', 'os', 'child_process', 'net', 'http', 'https', 'timers', 'ssh2'],
  checker: [],
  sim: [
    ...['core', 'util', 'language', 'facts', 'modules', 'playbook', 'journal', 'engine', 'checker'],
    ...['mke', 'output/sentences', 'lab/mke3-answers', 'lab/mke3-seed'],
  ],
  chaos: ['checker', 'core', 'lab', 'output/events', 'util', 'fs', 'os', 'child_process'],
};
const directories = [...Object.keys(mayImport), 'cli'];
const ioModules =
  'child_process cluster dgram dns fs http http2 https net os process readline timers tls worker_threads'.split(
    ' ',
  );
const packages = [
  '@clack/prompts',
  '@marcbachmann/cel-js',
  'commander',
  'handlebars',
  'listr2',
  'picocolors',
  'ssh2',
];

/** Random numbers are allowed in the lab, but not in code that a journal must repeat. */
const random = [
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'The same journal must lead to the same steps. Use a port.',
  },
];

/** A run and its journal must depend only on the ports, so that a simulation can replay them. */
const behindPorts = ['engine', 'journal', 'sim'];
/** Directories in which random numbers must come from a port. */
const withoutChance = [...behindPorts, 'modules', 'playbook', 'transport'];
const chance = {
  group: ['node:crypto', 'crypto'],
  importNames: [
    ...['getRandomValues', 'randomBytes', 'randomFill', 'randomFillSync', 'randomInt'],
    ...['randomUUID', 'webcrypto', 'default'],
  ],
  message: 'Use a port: Random.',
};
/** The random numbers of the machine fill the reserve of a journal on disk, which is a port itself. */
const machineChance = { group: ['**/util/random.ts'], message: 'Use a port: Random.' };
const time = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Use the clock of the context.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Use the clock of the context.',
  },
];
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'performance'];

function importRules(directory, allowed) {
  const others = directories.filter((other) => other !== directory && !allowed.includes(other));
  const forbidden = (list) => list.filter((name) => !allowed.includes(name));
  const what = [...forbidden(ioModules).map((name) => `node:${name}`), ...forbidden(packages)];
  return {
    files: [`src/${directory}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...others.map((other) => ({
              group: [
                `**/${other}/**`,
                ...allowed
                  .filter((file) => file.startsWith(`${other}/`))
                  .map((file) => `!**/${file}.ts`),
              ],
              message: `src/${directory} must not import src/${other}.`,
            })),
            ...what.map((name) => ({
              group: [name, `${name}/*`],
              message: `src/${directory} must not import ${name}.`,
            })),
            ...(withoutChance.includes(directory) ? [chance] : []),
            ...(withoutChance.includes(directory) && directory !== 'journal'
              ? [machineChance]
              : []),
          ],
        },
      ],
      // no-restricted-imports ignores dynamic imports and import types. Dynamic imports within a directory of src are allowed,
      // so also "../file.ts" from its subdirectories: src itself has no files.
      'no-restricted-syntax': [
        'error',
        ...(directory === 'lab' ? [] : random),
        ...(behindPorts.includes(directory) ? time : []),
        {
          selector: 'ImportExpression[source.value=/^\\.\\.\\u002f.*\\u002f/]',
          message: 'Only src/cli may import another directory of src dynamically.',
        },
        {
          selector: 'TSImportType[source.value=/^\\.\\./]',
          message: 'Use a static import of the type: the import rules check it.',
        },
      ],
    },
  };
}

const importRuleSets = Object.entries(mayImport).map(([directory, allowed]) =>
  importRules(directory, allowed),
);

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'node_modules', '.demo'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': 'error',
      // Result and journal values are JSON, so String() of them is intended.
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/no-unsafe-type-assertion': 'off',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/lab/main.ts', 'src/lab/real/main.ts', 'src/lab/real/host/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['argv', 'env', 'exit', 'exitCode', 'stdout', 'stderr'].map((property) => ({
          object: 'process',
          property,
          message: 'Only src/cli may use the process.',
        })),
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/lab/**', 'src/chaos/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'process', message: 'Only src/cli may use the process.' },
        { name: 'fetch', message: 'src/transport/http.ts sends requests.' },
      ],
    },
  },
  ...importRuleSets,
  {
    files: behindPorts.map((directory) => `src/${directory}/**/*.ts`),
    // The port itself, and the event queue, which waits for all promises before the next event.
    ignores: ['src/journal/disk-file.ts', 'src/sim/clock.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'process', message: 'Only src/cli may use the process.' },
        { name: 'fetch', message: 'src/transport/http.ts sends requests.' },
        ...timers.map((name) => ({ name, message: 'Use the clock of the context.' })),
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  prettier,
);
