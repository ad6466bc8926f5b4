import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RunnerError } from '../../core/errors.ts';

const run = promisify(execFile);

/** The real lab cannot be started on this machine, or not with the given programs. */
export class RealLabError extends RunnerError {
  readonly code = 'LAB';
}

/** A real program that replaces a stand-in. */
export interface RealProgram {
  path: string;
  /** Version that it reports, such as "v1.29.15+k0s.0". */
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
  /** Name of the program. */
  name: string;
  /** Arguments that print its version. */
  question: string[];
  /** Pattern of the output; the first group is the version. */
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

/** Environment variables with the paths of the programs, for the tests. */
export const PROGRAM_VARIABLES: Record<keyof RealPrograms, string> = {
  k0s: 'RUNNER_K0S',
  kubeApiserver: 'RUNNER_KUBE_APISERVER',
  coredns: 'RUNNER_COREDNS',
  kubeProxy: 'RUNNER_KUBE_PROXY',
};

/**
 * @param files paths of the programs; without a path, the stand-in is used
 * @throws RealLabError if a file is not the program or does not run here, or if the programs are not compatible
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
    throw new RealLabError(`"${path}" is not ${name}, or does not run on this machine.`, {
      cause: error,
    });
  });
  const [, version] = answer.exec(stdout.trim()) ?? [];
  if (version === undefined)
    throw new RealLabError(
      `"${path}" is not ${name}: "${question.join(' ')}" printed "${stdout.trim().slice(0, 80)}".`,
    );
  return { path, version };
}

function checkTogether({ k0s, kubeApiserver, coredns, kubeProxy }: RealPrograms): void {
  if (!k0s && (kubeApiserver ?? coredns ?? kubeProxy))
    throw new RealLabError('A real kube-apiserver, CoreDNS or kube-proxy requires a real k0s.');
  if ((coredns === undefined) !== (kubeProxy === undefined))
    throw new RealLabError(
      'CoreDNS and kube-proxy must be used together: without kube-proxy, CoreDNS cannot be reached.',
    );
  // An older kube-apiserver cannot read all objects of a newer one.
  if (k0s && kubeApiserver && minorOf(kubeApiserver) > minorOf(k0s))
    throw new RealLabError(
      `kube-apiserver ${kubeApiserver.version} is newer than ${k0s.version}, which could not read its objects.`,
    );
}

function minorOf({ version }: RealProgram): number {
  return Number(version.split('.')[1]);
}
