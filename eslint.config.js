import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** What each folder of src may import, besides itself and packages. */
const mayImport = {
  core: ['util'],
  util: ['core'],
  template: ['core', 'util'],
  playbook: ['core', 'util', 'template'],
  inventory: ['core', 'util', 'playbook'],
  transport: ['core', 'util'],
  journal: ['core', 'util'],
  facts: ['core', 'util'],
  modules: ['core', 'facts', 'util'],
  mke: ['core', 'facts', 'util'],
  engine: ['core', 'journal', 'template', 'util'],
  output: ['core', 'util'],
  lab: ['core', 'util'],
  checker: [],
  chaos: ['checker', 'core', 'lab', 'util'],
};
const folders = [...Object.keys(mayImport), 'cli'];

const directions = Object.entries(mayImport).map(([folder, allowed]) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: folders
          .filter((other) => other !== folder && !allowed.includes(other))
          .map((other) => ({
            group: [`**/${other}/*`],
            message: `src/${folder} may not import src/${other}.`,
          })),
      },
    ],
  },
}));

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
      // Result and journal values are JSON: String() of one is meant.
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
          message: 'Only src/cli touches the process.',
        })),
      ],
    },
  },
  ...directions,
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
