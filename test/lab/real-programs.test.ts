import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realPrograms } from '../../src/lab/real/programs.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'runner-programs-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** A program that prints the text for the version arguments, and fails for others. */
function program(name: string, question: string, answer: string): string {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\n[ "$*" = ${question} ] && echo '${answer}'\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('real programs instead of stand-ins', () => {
  it('are recognized by their version output', async () => {
    const k0s = program('k0s', 'version', 'v1.29.15+k0s.0');
    const kubeApiserver = program('kube-apiserver', '--version', 'Kubernetes v1.27.7');
    expect(await realPrograms({ k0s, kubeApiserver })).toEqual({
      k0s: { path: k0s, version: 'v1.29.15+k0s.0' },
      kubeApiserver: { path: kubeApiserver, version: 'v1.27.7' },
    });
    expect(await realPrograms({ k0s: '', kubeApiserver: undefined })).toEqual({});
  });

  it.each([
    [{ k0s: 'absent' }, 'is not k0s, or does not run'],
    [{ k0s: 'kubectl' }, 'is not k0s: "version" printed "v1.29.15"'],
    [{ k0s: 'kube-apiserver-1.29' }, 'is not k0s, or does not run'],
    [{ kubeApiserver: 'kube-apiserver-1.29' }, 'requires a real k0s'],
    [{ k0s: 'k0s-1.28', kubeApiserver: 'kube-apiserver-1.29' }, 'is newer than v1.28.9+k0s.0'],
    [{ k0s: 'k0s-1.28', coredns: 'coredns' }, 'must be used together'],
    [{ k0s: 'k0s-1.28', kubeApiserver: 'kubelet' }, 'is not kube-apiserver'],
  ])('are refused: %j %s', async (files, message) => {
    program('kubectl', 'version', 'v1.29.15');
    program('k0s-1.28', 'version', 'v1.28.9+k0s.0');
    program('kube-apiserver-1.29', '--version', 'Kubernetes v1.29.15');
    program('coredns', '-version', 'CoreDNS-1.11.4\nlinux/amd64, go1.23.7, a7ed346');
    program('kubelet', '--version', 'kubelet v1.29.15');
    const paths = Object.fromEntries(
      Object.entries(files).map(([name, file]) => [name, join(dir, file)]),
    );
    await expect(realPrograms(paths)).rejects.toThrow(message);
  });
});
