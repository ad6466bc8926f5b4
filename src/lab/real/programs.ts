import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RunnerError } from '../../core/errors.ts';

const run = promisify(execFile);

/** The real lab cannot be started on this machine, or not with what it was given. */
export class RealLabError extends RunnerError {
  readonly code = 'LAB';
}

/** A program as users download it, in place of a stand-in. */
export interface RealProgram {
  path: string;
  /** As it says itself, such as "v1.29.15+k0s.0". */
  version: string;
}

export interface RealPrograms {
  k0s?: RealProgram | undefined;
  /** Fills the etcd of MKE 3. */
  kubeApiserver?: RealProgram | undefined;
  /** In the images of the pods of k0s. */
  coredns?: RealProgram | undefined;
  kubeProxy?: RealProgram | undefined;
}

interface Kind {
  /** What it is called. */
  name: string;
  /** Asks for its version. */
  question: string[];
  /** What it says; the first group is the version. */
  answer: RegExp;
}

const kinds: Record<keyof RealPrograms, Kind> = {
  k0s: { name: 'k0s', question: ['version'], answer: /^(v\d+\.\d+\.\d+.*\+k0s\.\d+)$/ },
  kubeApiserver: {
    name: 'kube-apiserver',
    question: ['--version'],
    answer: /^Kubernetes (v\d+\.\d+\.\d+\S*)$/,
  },
  coredns: { name: 'CoreDNS', question: ['-version'], answer: /^CoreDNS-(\d+\.\d+\.\d+)\n/ },
  kubeProxy: {
    name: 'kube-proxy',
    question: ['--version'],
    answer: /^Kubernetes (v\d+\.\d+\.\d+\S*)$/,
  },
};

/** The environment variables that name the files of programs for the tests. */
export const PROGRAM_VARIABLES: Record<keyof RealPrograms, string> = {
  k0s: 'RUNNER_K0S',
  kubeApiserver: 'RUNNER_KUBE_APISERVER',
  coredns: 'RUNNER_COREDNS',
  kubeProxy: 'RUNNER_KUBE_PROXY',
};

/**
 * @param files paths of the programs; an empty one or none leaves the stand-in
 * @throws RealLabError when a file is not that program, does not run here, or they do not go together
 */
export async function realPrograms(
  files: Partial<Record<keyof RealPrograms, string | undefined>>,
): Promise<RealPrograms> {
  const programs: RealPrograms = {};
  for (const kind of Object.keys(kinds) as (keyof RealPrograms)[]) {
    const path = files[kind] ?? '';
    if (path !== '') programs[kind] = await programOf(path, kinds[kind]);
  }
  checkTogether(programs);
  return programs;
}

async function programOf(path: string, { name, question, answer }: Kind): Promise<RealProgram> {
  const { stdout } = await run(path, question, { timeout: 60_000 }).catch((error: unknown) => {
    throw new RealLabError(`"${path}" is not a ${name} that runs here.`, { cause: error });
  });
  const [, version] = answer.exec(stdout.trim()) ?? [];
  if (version === undefined)
    throw new RealLabError(
      `"${path}" is no ${name}: it answers "${question.join(' ')}" with "${stdout.trim().slice(0, 80)}".`,
    );
  return { path, version };
}

function checkTogether({ k0s, kubeApiserver, coredns, kubeProxy }: RealPrograms): void {
  if (!k0s && (kubeApiserver ?? coredns ?? kubeProxy))
    throw new RealLabError(
      'A real kube-apiserver, CoreDNS or kube-proxy in the lab also needs a real k0s.',
    );
  if ((coredns === undefined) !== (kubeProxy === undefined))
    throw new RealLabError(
      'Without kube-proxy nobody reaches CoreDNS: the lab takes both or none.',
    );
  // A kube-apiserver cannot read every object that a newer one wrote.
  if (k0s && kubeApiserver && minorOf(kubeApiserver) > minorOf(k0s))
    throw new RealLabError(
      `kube-apiserver ${kubeApiserver.version} is newer than ${k0s.version}, which could not read its objects.`,
    );
}

function minorOf({ version }: RealProgram): number {
  return Number(version.split('.')[1]);
}
