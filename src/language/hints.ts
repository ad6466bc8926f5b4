/* What others have under a name that means nothing here, and what stands in its place. */

const keywords: Record<string, string> = {
  local_action: 'Name the module, with "delegate_to: localhost".',
  action: 'Name the module itself as the key.',
  sudo: 'Use "become".',
  include: 'Use "include_tasks" or "import_tasks".',
  debugger: '"--step" asks before each step, "--on-failure ask" when one failed.',
  force_handlers:
    'Not needed: what notified a handler is taken back when the run fails, and "runner resume" runs what is due.',
  vars_prompt: 'Declare "inputs" of the playbook, with "prompt".',
  max_fail_percentage:
    'Use "max_failures", a count or a percentage, which counts hosts that are away, too.',
  collections: 'There are none; a role is found by its name in "roles/".',
  gather_subset: 'All facts come in one round trip; there is no subset.',
  gather_timeout: 'Each probe has 5 seconds.',
  fact_path: 'Facts of your own are steps that register what they read.',
};

const modules: Record<string, string> = {
  raw: 'Use "shell": nothing on a host needs Python here.',
  validate_argument_spec:
    'Declare "inputs" in the meta/main.yml of the role: they are checked before the run.',
  async_status: 'A step with "detach: true", or "async" and "poll", is waited for.',
  set_stats: 'Use "set_fact", and "document" for what the operator is to read.',
  git: 'Use "command", with "creates" and an undo.',
  pip: 'Use "command", with an undo.',
  synchronize: 'Use "copy", which takes folders, or "unarchive".',
  archive: 'Use "backup".',
  assemble: 'Use "template" with {{#each}}, or "copy" of the whole file.',
  expect: 'Use "command" with "stdin".',
  apt_key: 'Name the key in the repository, [signed-by=FILE], and put it there with "get_url".',
  deb822_repository: 'Use "apt_repository".',
  docker_container: 'Use "container", or "command".',
  docker_container_info: 'Use "container" without "state".',
  k8s: 'Use "command: kubectl apply -f -" with "stdin".',
  k8s_drain: 'Use "k8s_node".',
  k8s_info: 'Use "k8s_wait", or "command: kubectl get".',
  firewalld: 'Use "command: firewall-cmd", with an undo.',
  seboolean: 'Use "command: setsebool", with an undo.',
  selinux: 'Use "command: setenforce" and "lineinfile".',
  known_hosts: 'Keys of hosts are stored with: runner trust.',
};

/** What reads as a module and is a keyword. */
const ownKeywords = ['include_tasks', 'import_tasks', 'include_role', 'import_role', 'meta'];

/** Other names of the same module. */
const sameModule: Record<string, string> = {
  systemd: 'systemd_service',
  yum: 'dnf',
  gather_facts: 'setup',
};

const moduleArguments: Record<string, string> = {
  backup:
    'It is not needed: every step keeps what it changes, and "runner rollback" brings it back. For a copy that stays there is the module "backup".',
  trim_blocks: 'Templates are Handlebars: {{~ and ~}} take the blanks beside them away.',
  lstrip_blocks: 'Templates are Handlebars: {{~ and ~}} take the blanks beside them away.',
  unsafe_writes: 'Files are always replaced in one step.',
  tmp_dest: 'A download lies beside its place until it is whole, so that taking it is one step.',
  validate_checksum: 'What is fetched is always compared with the sum of the file on the host.',
  connect_timeout: 'Give it for the whole run: runner play --connect-timeout SECONDS.',
  boot_time_command: 'Whether a host restarted is told by the boot id of its kernel.',
  search_paths: 'Write the whole path in "reboot_command".',
  extra_opts: '"strip_components", "include" and "exclude" are arguments of their own.',
  local_follow: 'Links on the controller are followed.',
  decrypt: 'Files that are encrypted with a vault are decrypted on the way.',
  get_mime: 'Ask the host with: command: file --brief --mime-type PATH.',
  get_attributes: 'Ask the host with: command: lsattr -d PATH.',
  pattern: 'systemd itself knows what of a unit runs.',
  arguments: 'What a unit is started with stands in its unit file, or in a drop-in of it.',
  newline_sequence: 'A template is written with the line ends that it has.',
};

/** What stands here for a key that Ansible has. */
export function hereInstead(key: string): string | undefined {
  if (key.startsWith('with_')) return 'Use "loop" with a list.';
  return keywords[key] ?? modules[plainName(key)];
}

/** What stands here for an argument that Ansible's modules have. */
export function argumentInstead(name: string | undefined): string | undefined {
  return name === undefined ? undefined : moduleArguments[name];
}

/** The module that another name, or one with that of its collection, stands for; undefined when there is none. */
export function moduleOfName(key: string, known: readonly string[]): string | undefined {
  const plain = plainName(key);
  const name = sameModule[plain] ?? plain;
  return name !== key && [...known, ...ownKeywords].includes(name) ? name : undefined;
}

/** Without a collection in front. */
function plainName(key: string): string {
  return /^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\.([a-z0-9_]+)$/.exec(key)?.[1] ?? key;
}
