import type { Module, ModuleRegistry } from '../core/module.ts';
import { add_host } from './add_host.ts';
import { apt } from './apt.ts';
import { apt_repository } from './apt_repository.ts';
import { assert } from './assert.ts';
import { authorized_key } from './authorized_key.ts';
import { backup } from './backup.ts';
import { blockinfile } from './blockinfile.ts';
import { command } from './command.ts';
import { container } from './container.ts';
import { copy } from './copy.ts';
import { cron } from './cron.ts';
import { debug } from './debug.ts';
import { dns_check } from './dns_check.ts';
import { disk_space } from './disk_space.ts';
import { dnf } from './dnf.ts';
import { document } from './document.ts';
import { docker_export } from './docker_export.ts';
import { docker_object } from './docker_object.ts';
import { etcd_health } from './etcd_health.ts';
import { fail } from './fail.ts';
import { fetch } from './fetch.ts';
import { file } from './file.ts';
import { find } from './find.ts';
import { get_url } from './get_url.ts';
import { getent } from './getent.ts';
import { group } from './group.ts';
import { group_by } from './group_by.ts';
import { hostname } from './hostname.ts';
import { http_check } from './http_check.ts';
import { include_vars } from './include_vars.ts';
import { k0s } from './k0s.ts';
import { k8s_node } from './k8s_node.ts';
import { k8s_pods } from './k8s_pods.ts';
import { k8s_wait } from './k8s_wait.ts';
import { lineinfile } from './lineinfile.ts';
import { modprobe } from './modprobe.ts';
import { mount } from './mount.ts';
import { node_address } from './node_address.ts';
import { pause } from './pause.ts';
import { ping } from './ping.ts';
import { port_check } from './port_check.ts';
import { port_states } from './port_states.ts';
import { reboot } from './reboot.ts';
import { replace } from './replace.ts';
import { restore_account } from './restore_account.ts';
import { restore_attributes } from './restore_attributes.ts';
import { restore_backup } from './restore_backup.ts';
import { restore_container } from './restore_container.ts';
import { restore_cron } from './restore_cron.ts';
import { restore_packages } from './restore_packages.ts';
import { restore_path } from './restore_path.ts';
import { restore_rpms } from './restore_rpms.ts';
import { script } from './script.ts';
import { service } from './service.ts';
import { service_facts } from './service_facts.ts';
import { set_fact } from './set_fact.ts';
import { setup } from './setup.ts';
import { shell } from './shell.ts';
import { slurp } from './slurp.ts';
import { stat } from './stat.ts';
import { sysctl } from './sysctl.ts';
import { systemd_service } from './systemd_service.ts';
import { tempfile } from './tempfile.ts';
import { template } from './template.ts';
import { unarchive } from './unarchive.ts';
import { uri } from './uri.ts';
import { user } from './user.ts';
import { wait_for } from './wait_for.ts';
import { wait_for_connection } from './wait_for_connection.ts';
import { yum_repository } from './yum_repository.ts';
import { package as packages } from './package.ts';
import { package_facts } from './package_facts.ts';

/** The only list of modules; a test compares it with the files in this folder. */
export const builtinModules = [
  add_host,
  apt,
  apt_repository,
  assert,
  authorized_key,
  backup,
  blockinfile,
  command,
  container,
  copy,
  cron,
  debug,
  disk_space,
  dnf,
  dns_check,
  docker_export,
  docker_object,
  document,
  etcd_health,
  fail,
  fetch,
  file,
  find,
  get_url,
  getent,
  group,
  group_by,
  hostname,
  http_check,
  include_vars,
  k0s,
  k8s_node,
  k8s_pods,
  k8s_wait,
  lineinfile,
  modprobe,
  mount,
  node_address,
  packages,
  package_facts,
  pause,
  ping,
  port_check,
  port_states,
  reboot,
  replace,
  restore_account,
  restore_attributes,
  restore_backup,
  restore_container,
  restore_cron,
  restore_packages,
  restore_path,
  restore_rpms,
  script,
  service,
  service_facts,
  set_fact,
  setup,
  shell,
  slurp,
  stat,
  sysctl,
  systemd_service,
  tempfile,
  template,
  unarchive,
  uri,
  user,
  wait_for,
  wait_for_connection,
  yum_repository,
] as unknown as Module[];

export function createRegistry(modules: readonly Module[]): ModuleRegistry {
  return new Map(modules.map((module) => [module.name, module]));
}
