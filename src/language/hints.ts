/* Hints for keywords, modules and arguments that Ansible has and runner does not. */

const keywords: Record<string, string> = {
  local_action: 'Use the module with "delegate_to: localhost".',
  action: 'Use the name of the module as the key.',
  sudo: 'Use "become".',
  include: 'Use "include_tasks" or "import_tasks".',
  debugger: 'Use --step to confirm each step, or --on-failure ask to decide after a failure.',
  force_handlers:
    'Remove it: a failed run is rolled back with the tasks that notified a handler, and "runner resume" runs pending handlers.',
  vars_prompt: 'Declare "inputs" of the playbook, with "prompt".',
  max_fail_percentage:
    'Use "max_failures", a number or a percentage of hosts. It counts unreachable hosts, too.',
  collections: 'Remove it: runner has no collections and finds roles by name in "roles/".',
  gather_subset: 'Remove it: all facts are gathered in one round trip.',
  gather_timeout: 'Remove it: each fact has a time limit of 5 s.',
  fact_path: 'Use tasks with "register" for custom facts.',
};

const modules: Record<string, string> = {
  raw: 'Use "shell": runner needs no Python on a host.',
  validate_argument_spec:
    'Declare "inputs" in the meta/main.yml of the role. They are checked before the run.',
  async_status:
    'Remove it: runner waits for a step with "detach: true", or with "async" and "poll".',
  set_stats: 'Use "set_fact", or "document" for text that the operator should read.',
  git: 'Use "command", with "creates" and an undo.',
  pip: 'Use "command", with an undo.',
  synchronize: 'Use "copy", which copies directories, too, or "unarchive".',
  archive: 'Use "backup".',
  assemble: 'Use "template" with {{#each}}, or "copy" with the complete file.',
  expect: 'Use "command" with "stdin".',
  apt_key: 'Download the key with "get_url", and name it in the repository: [signed-by=FILE].',
  deb822_repository: 'Use "apt_repository".',
  docker_container: 'Use "container", or "command".',
  docker_container_info: 'Use "container" without "state".',
  k8s: 'Use "command: kubectl apply -f -" with "stdin".',
  k8s_drain: 'Use "k8s_node".',
  k8s_info: 'Use "k8s_wait", or "command: kubectl get".',
  firewalld: 'Use "command: firewall-cmd", with an undo.',
  seboolean: 'Use "command: setsebool", with an undo.',
  selinux: 'Use "command: setenforce" and "lineinfile".',
  known_hosts: 'Store host keys with: runner trust.',
};

/** Modules of Ansible that are keywords here. */
const ownKeywords = ['include_tasks', 'import_tasks', 'include_role', 'import_role', 'meta'];

/** Other names of the same module. */
const sameModule: Record<string, string> = {
  systemd: 'systemd_service',
  yum: 'dnf',
  gather_facts: 'setup',
};

const moduleArguments: Record<string, string> = {
  backup:
    'Remove it: every step saves the previous state, and "runner rollback" restores it. Use the module "backup" to keep a copy.',
  trim_blocks: 'Use {{~ and ~}} to remove adjacent whitespace: templates are Handlebars.',
  lstrip_blocks: 'Use {{~ and ~}} to remove adjacent whitespace: templates are Handlebars.',
  unsafe_writes: 'Remove it: files are always replaced atomically.',
  tmp_dest:
    'Remove it: a download is written next to its destination and replaces it atomically once complete.',
  validate_checksum:
    'Remove it: a fetched file is always compared with the checksum of the file on the host.',
  connect_timeout: 'Set it for the whole run: runner play --connect-timeout SECONDS.',
  boot_time_command: 'Remove it: runner detects a reboot by the boot id of the kernel.',
  search_paths: 'Use the full path in "reboot_command".',
  extra_opts: 'Use the arguments "strip_components", "include" and "exclude".',
  local_follow: 'Remove it: links on the controller are always followed.',
  decrypt: 'Remove it: vault-encrypted files are always decrypted.',
  get_mime: 'Use: command: file --brief --mime-type PATH.',
  get_attributes: 'Use: command: lsattr -d PATH.',
  pattern: 'Remove it: systemd reports whether a unit is running.',
  arguments: 'Set the arguments in the unit file or in a drop-in.',
  newline_sequence: 'Remove it: a file keeps the line endings of its template.',
};

/** The hint for a keyword or module of Ansible. */
export function keywordHint(key: string): string | undefined {
  if (key.startsWith('with_')) return 'Use "loop" with a list.';
  return keywords[key] ?? modules[plainName(key)];
}

/** The hint for a module argument of Ansible. */
export function argumentHint(name: string | undefined): string | undefined {
  return name === undefined ? undefined : moduleArguments[name];
}

/** The module that another name of Ansible means, with or without its collection. */
export function moduleOfName(key: string, known: readonly string[]): string | undefined {
  const plain = plainName(key);
  const name = sameModule[plain] ?? plain;
  return name !== key && [...known, ...ownKeywords].includes(name) ? name : undefined;
}

/** Removes the collection from a name: `ansible.builtin.copy` → `copy`. */
function plainName(key: string): string {
  return /^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\.([a-z0-9_]+)$/.exec(key)?.[1] ?? key;
}
