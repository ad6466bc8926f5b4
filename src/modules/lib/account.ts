import type { HostFacts, UndoCall } from '../../core/module.ts';
import { ACCOUNT_FILES } from '../../facts/account.ts';
import { fileState } from '../../facts/file.ts';

/** Names that all tools accept. A `:` or a line break would start another field or entry. */
export const ACCOUNT_NAME = '^[A-Za-z_][A-Za-z0-9_.-]{0,63}\\$?$';

/** The undo call that restores a user or group in the account files. */
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
