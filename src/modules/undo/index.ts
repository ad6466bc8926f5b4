/** Modules that only an automatic undo calls, one per line. A test compares this list with the files of the directory. */
export { restore_account } from './restore_account.ts';
export { restore_attributes } from './restore_attributes.ts';
export { restore_backup } from './restore_backup.ts';
export { restore_container } from './restore_container.ts';
export { restore_cron } from './restore_cron.ts';
export { restore_packages } from './restore_packages.ts';
export { restore_path } from './restore_path.ts';
export { restore_rpms } from './restore_rpms.ts';
