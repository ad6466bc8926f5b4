import { exec, type Action, type ExecAction } from '../../core/action.ts';

/** Runs apt-get without prompts. Edited configuration files are kept. */
export function aptGet(lockTimeout: number, ...words: string[]): ExecAction {
  const options = [
    ...['-q', '-y', '-o', `DPkg::Lock::Timeout=${String(lockTimeout)}`],
    ...['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'],
  ];
  return { ...exec('apt-get', ...options, ...words), env: { DEBIAN_FRONTEND: 'noninteractive' } };
}

export function dnfCall(...words: string[]): Action {
  return exec('dnf', '-y', ...words);
}
