import { createHash } from 'node:crypto';

/** The same thirty tasks for runner and Ansible; only template syntax and conditions differ. */
export type Dialect = 'runner' | 'ansible';

export function commandsOnly(dialect: Dialect): string {
  const tasks = Array.from({ length: 30 }, (_, index) =>
    dialect === 'runner'
      ? `    - { name: True ${String(index)}, command: /bin/true, undo: none }`
      : `    - { name: True ${String(index)}, command: /bin/true }`,
  );
  return play(tasks, dialect);
}

/** Ten small files, five lines, five directories, five commands with register and when, five shell lines. */
export function realistic(dialect: Dialect, dir: string): string {
  const base = `${dir}/{{inventory_hostname}}`;
  const undo = dialect === 'runner' ? ', undo: none' : '';
  const changes = dialect === 'runner' ? '' : ', changed_when: false';
  const readOnly = (command: string) =>
    dialect === 'runner' ? `{ cmd: ${command}, read_only: true }` : command;
  const numbers = [1, 2, 3, 4, 5];
  const tasks = [
    ...numbers.map(
      (n) =>
        `    - { name: Directory ${String(n)}, file: { path: '${base}/d${String(n)}', state: directory, mode: '0755' } }`,
    ),
    ...numbers.flatMap((n) => [
      `    - { name: File ${String(n)}, copy: { content: "host {{inventory_hostname}} file ${String(n)}\\n", dest: '${base}/d${String(n)}/a.conf', mode: '0644' } }`,
      `    - { name: Other ${String(n)}, copy: { content: "other ${String(n)}\\n", dest: '${base}/d${String(n)}/b.conf', mode: '0600' } }`,
    ]),
    ...numbers.map(
      (n) =>
        `    - { name: Line ${String(n)}, lineinfile: { path: '${base}/d${String(n)}/c.conf', line: 'key${String(n)}=1', create: true, mode: '0644' } }`,
    ),
    ...numbers.map(
      (n) =>
        `    - { name: Ask ${String(n)}, command: ${readOnly('hostname')}, register: r${String(n)}${changes} }`,
    ),
    ...numbers.map((n) => {
      return `    - { name: Shell ${String(n)}, when: r${String(n)}.rc == 0, shell: 'echo ${String(n)} > ${base}/d${String(n)}/s'${undo} }`;
    }),
  ];
  return play(tasks, dialect);
}

/** Thirty changing steps that can be undone: ten files, ten lines, five directories, five commands. */
export function changing(dir: string): string {
  const base = `${dir}/{{inventory_hostname}}`;
  const tasks = [1, 2, 3, 4, 5].flatMap((n) => {
    const directory = `${base}/d${String(n)}`;
    const remove = `{ name: Remove, file: { path: '${directory}/s', state: absent } }`;
    return [
      `    - { name: Directory ${String(n)}, file: { path: '${directory}', state: directory } }`,
      `    - { name: File ${String(n)}, copy: { content: "one\\n", dest: '${directory}/a' } }`,
      `    - { name: Again ${String(n)}, copy: { content: "two\\n", dest: '${directory}/a' } }`,
      `    - { name: Line ${String(n)}, lineinfile: { path: '${directory}/b', line: x, create: true } }`,
      `    - { name: More ${String(n)}, lineinfile: { path: '${directory}/b', line: y } }`,
      `    - { name: Shell ${String(n)}, shell: 'echo x >${directory}/s', undo: [${remove}] }`,
    ];
  });
  return play(tasks, 'runner');
}

function play(tasks: string[], dialect: Dialect): string {
  const facts = dialect === 'ansible' ? '  gather_facts: false\n' : '';
  return `- name: Bench\n  hosts: all\n${facts}  tasks:\n${tasks.join('\n')}\n`;
}

/** The same tasks as shell commands that check the state before they change it. */
export function realisticShell(dir: string, host: string): string[] {
  const base = `${dir}/${host}`;
  const numbers = [1, 2, 3, 4, 5];
  const file = (path: string, content: string, mode: string) => {
    const sum = createHash('sha256').update(content).digest('hex');
    return `[ "$(sha256sum <${path} 2>/dev/null)" = "${sum}  -" ] && [ "$(stat -c %a ${path})" = ${mode} ] || { printf %s '${content}' >${path}.tmp && chmod ${mode} ${path}.tmp && mv ${path}.tmp ${path}; }`;
  };
  return [
    ...numbers.map(
      (n) =>
        `[ "$(stat -c %a ${base}/d${String(n)} 2>/dev/null)" = 755 ] || { mkdir -p ${base}/d${String(n)} && chmod 755 ${base}/d${String(n)}; }`,
    ),
    ...numbers.flatMap((n) => [
      file(`${base}/d${String(n)}/a.conf`, `host ${host} file ${String(n)}\n`, '644'),
      file(`${base}/d${String(n)}/b.conf`, `other ${String(n)}\n`, '600'),
    ]),
    ...numbers.map((n) => {
      const path = `${base}/d${String(n)}/c.conf`;
      return `[ -e ${path} ] || : >${path}; sha256sum ${path}; stat -c %a ${path}; grep -qxF 'key${String(n)}=1' ${path} || echo 'key${String(n)}=1' >>${path}`;
    }),
    ...numbers.map(() => 'hostname'),
    ...numbers.map((n) => `echo ${String(n)} > ${base}/d${String(n)}/s`),
  ];
}

export function commandsOnlyShell(): string[] {
  return Array.from({ length: 30 }, () => '/bin/true');
}

export function largeFile(dialect: Dialect, from: string, dir: string): string {
  const undo = dialect === 'runner' ? ', undo: none' : '';
  return play(
    [
      `    - { name: Large file, copy: { src: ${from}, dest: '${dir}/{{inventory_hostname}}/large', mode: '0644' }${undo} }`,
    ],
    dialect,
  );
}
