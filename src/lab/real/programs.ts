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
}

/**
 * @param files paths of the programs; an empty one or none leaves the stand-in
 * @throws RealLabError when a file is not that program, does not run here, or the two do not go together
 */
export async function realPrograms({
  k0s = '',
  kubeApiserver = '',
}: {
  k0s?: string | undefined;
  kubeApiserver?: string | undefined;
}): Promise<RealPrograms> {
  const programs: RealPrograms = {
    k0s: k0s === '' ? undefined : await k0sOf(k0s),
    kubeApiserver: kubeApiserver === '' ? undefined : await kubeApiserverOf(kubeApiserver),
  };
  checkPair(programs);
  return programs;
}

async function k0sOf(path: string): Promise<RealProgram> {
  const version = (await ask(path, ['version'], 'k0s')).trim();
  if (!/^v\d+\.\d+\.\d+.*\+k0s\.\d+$/.test(version))
    throw new RealLabError(
      `"${path}" calls itself "${version.slice(0, 80)}", not a version of k0s.`,
    );
  return { path, version };
}

async function kubeApiserverOf(path: string): Promise<RealProgram> {
  const said = (await ask(path, ['--version'], 'kube-apiserver')).trim();
  const [, version] = /^Kubernetes (v\d+\.\d+\.\d+\S*)$/.exec(said) ?? [];
  if (version === undefined)
    throw new RealLabError(
      `"${path}" calls itself "${said.slice(0, 80)}", not a version of Kubernetes.`,
    );
  return { path, version };
}

/** A kube-apiserver cannot read every object that a newer one wrote. */
function checkPair({ k0s, kubeApiserver }: RealPrograms): void {
  if (!kubeApiserver) return;
  if (!k0s) throw new RealLabError('A real kube-apiserver for MKE 3 also needs a real k0s.');
  if (minorOf(kubeApiserver) > minorOf(k0s))
    throw new RealLabError(
      `kube-apiserver ${kubeApiserver.version} is newer than ${k0s.version}, which could not read its objects.`,
    );
}

function minorOf({ version }: RealProgram): number {
  return Number(version.split('.')[1]);
}

async function ask(path: string, args: string[], name: string): Promise<string> {
  try {
    return (await run(path, args, { timeout: 60_000 })).stdout;
  } catch (error) {
    throw new RealLabError(`"${path}" is not a ${name} that runs here.`, { cause: error });
  }
}
