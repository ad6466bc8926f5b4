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

/** Flags, admission plugins and feature gates of one Kubernetes minor release. */
export type FlagTable = Partial<
  Record<Component | 'admission-plugins' | 'feature-gates', string[]>
>;

/** Tables by minor release, such as "1.29". */
export type FlagTables = Record<string, FlagTable>;

export interface KnownFlags {
  flags: Record<Component, Set<string>>;
  plugins: Set<string>;
  gates: Set<string>;
}

/** Kubernetes minor release of a k0s version: `1.29` for `v1.29.15+k0s.0`. */
export function minorOf(version: string): string | undefined {
  return /^v?(\d+\.\d+)\.\d/.exec(version)?.[1];
}

/**
 * The flags, plugins and gates of a minor release; undefined if no table exists for it.
 *
 * @param more tables from the operator, added to those of runner
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
