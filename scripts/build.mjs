// Bundles the command line and the embedded lab. Large packages are separate chunks, loaded on first use.
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

// ssh2 tries native helpers, and Handlebars the package "source-map"; both fall back to their own code when the import throws. Source maps of templates are not used, and loading the package takes 2 % of the CPU time of a short run.
const withoutOptionalPackages = {
  name: 'without-optional-packages',
  setup(builder) {
    builder.onResolve({ filter: /cpu-features|\.node$|^source-map$/ }, (args) => ({
      path: args.path,
      namespace: 'absent',
    }));
    builder.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({
      contents: 'throw new Error("not part of the build");',
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
  plugins: [withoutOptionalPackages],
  // CommonJS packages in an ES module bundle still use `require` and `__dirname`.
  banner: {
    js: "import { createRequire as createRequireOf } from 'node:module'; const require = createRequireOf(import.meta.url); const __dirname = import.meta.dirname;",
  },
  logLevel: 'warning',
});

// Programs for the hosts of a real lab, each in one file.
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
