import type { Module, ModuleRegistry } from '../core/module.ts';
import { apt } from './apt.ts';
import { assert } from './assert.ts';
import { blockinfile } from './blockinfile.ts';
import { command } from './command.ts';
import { copy } from './copy.ts';
import { debug } from './debug.ts';
import { document } from './document.ts';
import { fail } from './fail.ts';
import { fetch } from './fetch.ts';
import { file } from './file.ts';
import { get_url } from './get_url.ts';
import { group_by } from './group_by.ts';
import { lineinfile } from './lineinfile.ts';
import { modprobe } from './modprobe.ts';
import { pause } from './pause.ts';
import { ping } from './ping.ts';
import { reboot } from './reboot.ts';
import { replace } from './replace.ts';
import { restore_packages } from './restore_packages.ts';
import { restore_path } from './restore_path.ts';
import { service } from './service.ts';
import { set_fact } from './set_fact.ts';
import { setup } from './setup.ts';
import { shell } from './shell.ts';
import { slurp } from './slurp.ts';
import { stat } from './stat.ts';
import { sysctl } from './sysctl.ts';
import { systemd_service } from './systemd_service.ts';
import { template } from './template.ts';
import { uri } from './uri.ts';
import { wait_for } from './wait_for.ts';
import { wait_for_connection } from './wait_for_connection.ts';

/** The only list of modules; a test compares it with the files in this folder. */
export const builtinModules = [
  apt,
  assert,
  blockinfile,
  command,
  copy,
  debug,
  document,
  fail,
  fetch,
  file,
  get_url,
  group_by,
  lineinfile,
  modprobe,
  pause,
  ping,
  reboot,
  replace,
  restore_packages,
  restore_path,
  service,
  set_fact,
  setup,
  shell,
  slurp,
  stat,
  sysctl,
  systemd_service,
  template,
  uri,
  wait_for,
  wait_for_connection,
] as unknown as Module[];

export function createRegistry(modules: readonly Module[]): ModuleRegistry {
  return new Map(modules.map((module) => [module.name, module]));
}
