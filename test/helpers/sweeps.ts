import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import type { PlaygroundSpec } from '../../src/chaos/playground.ts';
import {
  casesOf,
  sweep,
  type ChangingStep,
  type Reference,
  type SweepOptions,
} from '../../src/chaos/sweep.ts';
import { faults, type Fault } from '../../src/core/fault.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { packageRoot } from '../../src/util/package.ts';
import { has, type Program } from './programs.ts';
import { shuffled } from './seed.ts';

const examples = join(packageRoot(), 'examples');

/**
 * Examples for clusters, with their inputs. They have a directory `lab` with hosts and a playbook
 * that prepares them.
 */
export const clusterExamples: Record<string, string[]> = {
  'k0s-minor': ['--download-url', 'file:///usr/local/lib/lab/k0s-v1.30.9', '--backup-dir', ''],
  'os-patch': [],
  'swarm-engine': ['--docker-version', '24.0.9'],
};

/** Programs of this machine that an example needs on its hosts. */
export const exampleNeeds: Record<string, Program[]> = { 'k0s-minor': ['curl'] };

export const plainExamples = readdirSync(examples).filter(
  (name) => !(name in clusterExamples) && existsSync(join(examples, name, 'playbook.yml')),
);

export function sweepOptions(name: string, jobs: number): SweepOptions {
  const directory = join(examples, name);
  const base = {
    program: join(packageRoot(), 'bin', 'runner.js'),
    env: { PATH: process.env['PATH'] ?? '' },
    prepare: undefined,
    jobs,
    caseTimeoutMs: 180_000,
    ignored: [],
  };
  if (name === 'upgrade') {
    const playground: PlaygroundSpec = { kind: 'mke3', managers: 3, workers: 2 };
    const playArgs = ['upgrade.yml', '--accept-irreversible', 'remove-mke3'];
    return { ...base, playground, playArgs };
  }
  const inputs = clusterExamples[name];
  const hosts = inputs === undefined ? 'h1,h2,' : join(directory, 'lab', 'hosts.yml');
  return {
    ...base,
    playArgs: [join(directory, 'playbook.yml'), ...(inputs ?? [])],
    playground: { kind: 'hosts', inventory: loadInventory(hosts), input: undefined },
    prepare: inputs === undefined ? undefined : join(directory, 'lab', 'prepare.yml'),
  };
}

export interface SweepCase {
  step: ChangingStep;
  fault: Fault;
}

export function allCases(
  { steps }: Reference,
  chosen = Object.keys(faults) as Fault[],
): SweepCase[] {
  return casesOf(steps, chosen);
}

/** Runs the cases and expects that every state was restored. */
export async function expectRestored(
  options: SweepOptions,
  reference: Reference,
  cases: readonly SweepCase[],
): Promise<void> {
  const seen: string[] = [];
  const wrong: string[] = [];
  await sweep(options, reference, cases, ({ step, fault, problems }) => {
    seen.push(`${fault} ${step}`);
    wrong.push(...problems.map((problem) => `${fault} at ${step}: ${problem}`));
  });
  expect(wrong).toEqual([]);
  expect(seen.toSorted()).toEqual(cases.map(({ step, fault }) => `${fault} ${step.id}`).toSorted());
}

/** A selection of cases; those whose step or module is in a changed file come first. */
export function sampleCases(
  cases: readonly SweepCase[],
  count: number,
  { changed, random }: { changed: readonly string[]; random: () => number },
): SweepCase[] {
  const isChanged = ({ step }: SweepCase): boolean =>
    changed.includes(relative(packageRoot(), step.file)) ||
    changed.includes(`src/modules/${step.module}.ts`);
  const mixed = shuffled(cases, random);
  // At most two thirds: a change can break code in other files.
  const first = mixed.filter(isChanged).slice(0, Math.ceil((count * 2) / 3));
  return [...first, ...mixed.filter((one) => !first.includes(one))].slice(0, count);
}

/**
 * Files that differ from the last commit, or else those that it changed. Empty without git or a
 * repository.
 */
export function changedFiles(): string[] {
  if (!has('git')) return [];
  const git = (...words: string[]): string[] => {
    try {
      const options = { cwd: packageRoot(), encoding: 'utf8', stdio: 'pipe' } as const;
      return execFileSync('git', words, options)
        .split('\n')
        .filter((line) => line !== '');
    } catch {
      return [];
    }
  };
  const uncommitted = git('diff', '--name-only', 'HEAD');
  return uncommitted.length > 0 ? uncommitted : git('diff', '--name-only', 'HEAD~1', 'HEAD');
}
