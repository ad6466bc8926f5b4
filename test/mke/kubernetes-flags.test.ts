import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { minorOf } from '../../src/mke/kubernetes-flags.ts';
import { packageRoot } from '../../src/util/package.ts';

it.each([
  ['v1.29.15+k0s.0', '1.29'],
  ['1.30.1', '1.30'],
  ['latest', undefined],
  ['v1.29', undefined],
  ['../../1.29.0', undefined],
])('version %s is Kubernetes %s', (version, minor) => {
  expect(minorOf(version)).toBe(minor);
});

it('scripts/kubernetes-flags.mjs parses flags, plugins and gates from the --help output of the programs', () => {
  const help = `
Usage:
  kube-apiserver [flags]

Flags:
      --enable-admission-plugins strings   admission plugins (a, b). Comma-delimited list of admission plugins: PodSecurity, AlwaysAdmit. The order does not matter, see --other.
      --feature-gates mapStringBool        Options are:
                APIServerIdentity=true|false (BETA - default=true)
                kube:Other=true|false (ALPHA - default=false)
  -h, --help                               help
`;
  const dir = mkdtempSync(join(tmpdir(), 'runner-flags-'));
  try {
    const program = join(dir, 'kube-apiserver');
    writeFileSync(program, `#!/bin/sh\n[ "$*" = --help ] || exit 1\ncat <<'EOF'\n${help}EOF\n`);
    chmodSync(program, 0o755);
    const script = join(packageRoot(), 'scripts', 'kubernetes-flags.mjs');
    const out = execFileSync('node', [script, dir], { stdio: 'pipe', timeout: 30_000 });
    expect(JSON.parse(out.toString())).toEqual({
      'kube-apiserver': ['enable-admission-plugins', 'feature-gates', 'help'],
      'admission-plugins': ['AlwaysAdmit', 'PodSecurity'],
      'feature-gates': ['APIServerIdentity', 'Other'],
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
