// Bundles the command line and the embedded lab. Heavy packages stay in chunks of their own, loaded on first use.
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

// ssh2 tries these native helpers and falls back to JavaScript when they throw.
const withoutNativeAddons = {
  name: 'without-native-addons',
  setup(builder) {
    builder.onResolve({ filter: /cpu-features|\.node$/ }, (args) => ({
      path: args.path,
      namespace: 'absent-addon',
    }));
    builder.onLoad({ filter: /.*/, namespace: 'absent-addon' }, () => ({
      contents: 'throw new Error("built without native addons");',
      loader: 'js',
    }));
  },
};

const outdir = new URL('../dist/', import.meta.url).pathname;
await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: {
    runner: 'src/cli/process.ts',
    lab: 'src/lab/main.ts',
    'real-lab': 'src/lab/real/main.ts',
  },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  chunkNames: 'chunks/[name]-[hash]',
  plugins: [withoutNativeAddons],
  // CommonJS packages in an ES module bundle still ask for `require` and `__dirname`.
  banner: {
    js: "import { createRequire as createRequireOf } from 'node:module'; const require = createRequireOf(import.meta.url); const __dirname = import.meta.dirname;",
  },
  logLevel: 'warning',
});

// What runs on the hosts of a real lab, each in one file.
await build({
  entryPoints: Object.fromEntries(
    ['k0s', 'controller', 'fill'].map((name) => [name, `src/lab/real/host/${name}.ts`]),
  ),
  outdir: `${outdir}real`,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  outExtension: { '.js': '.mjs' },
  logLevel: 'warning',
});
