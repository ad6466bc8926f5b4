#!/usr/bin/env node
import { existsSync } from 'node:fs';

const bundle = new URL('../dist/runner.js', import.meta.url);
if (existsSync(bundle)) {
  await import(bundle.href);
} else {
  process.stderr.write('runner is not built yet. Build it with: npm run build\n');
  process.exitCode = 1;
}
