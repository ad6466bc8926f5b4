import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../util/package.ts';

const components = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
] as const;
export type Component = (typeof components)[number];

/** Flags, admission plugins and feature gates of one minor release of Kubernetes, as its programs have them. */
export type FlagTable = Partial<
  Record<Component | 'admission-plugins' | 'feature-gates', string[]>
>;

/** Such tables by minor release: "1.29". */
export type FlagTables = Record<string, FlagTable>;

export interface KnownFlags {
  flags: Record<Component, Set<string>>;
  plugins: Set<string>;
  gates: Set<string>;
}

/** `v1.29.15+k0s.0` is of Kubernetes 1.29. */
export function minorOf(version: string): string | undefined {
  return /^v?(\d+\.\d+)\.\d/.exec(version)?.[1];
}

/**
 * What the components of a minor release know; undefined for a release that nobody has listed.
 *
 * @param more tables of the operator, which are added to those of runner
 */
export function knownFlags(minor: string, more: FlagTables = {}): KnownFlags | undefined {
  const own = shippedTable(minor);
  const given = more[minor];
  if (own === undefined && given === undefined) return undefined;
  const all = (name: keyof FlagTable): Set<string> =>
    new Set([...(own?.[name] ?? []), ...(given?.[name] ?? [])]);
  return {
    flags: Object.fromEntries(components.map((one) => [one, all(one)])) as KnownFlags['flags'],
    plugins: all('admission-plugins'),
    gates: all('feature-gates'),
  };
}

function shippedTable(minor: string): FlagTable | undefined {
  const file = join(packageRoot(), 'src', 'mke', 'kubernetes-flags', `${minor}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as FlagTable) : undefined;
}
