import type { HostFacts, UndoCall } from '../../core/module.ts';
import { ACCOUNT_FILES } from '../../facts/account.ts';
import { fileState } from '../../facts/file.ts';

/** What tools accept everywhere; a `:` or a line break would be another field or entry. */
export const ACCOUNT_NAME = '^[A-Za-z_][A-Za-z0-9_.-]{0,63}\\$?$';

/** The call that brings a user or group back as the account files had it. */
export async function accountCall(name: string, host: HostFacts): Promise<UndoCall> {
  const states = await Promise.all(ACCOUNT_FILES.map((path) => host.fact(fileState, path)));
  const files = ACCOUNT_FILES.flatMap((path, index) => {
    const state = states[index];
    return state?.type === 'file'
      ? [{ path, copy: host.copyOf(path), checksum: state.checksum }]
      : [];
  });
  return { module: 'restore_account', args: { name, files } };
}
