import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtinModules } from '../../src/cli/builtin-modules.ts';
import { parse } from 'yaml';
import { playTasks } from '../../src/language/document.ts';
import { checkPlaybook } from '../../src/playbook/check/check.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { localFiles } from '../../src/util/local-files.ts';
import { packageRoot } from '../../src/util/package.ts';

const root = packageRoot();
const modules = builtinModules;
const playbooks = readdirSync(join(root, 'playbooks')).filter((file) => file.endsWith('.yml'));
const roles = readdirSync(join(root, 'roles'));

describe.each(playbooks)('playbook %s', (file) => {
  const playbook = loadPlaybook(join(root, 'playbooks', file), {
    modules,
    files: localFiles,
    rolePaths: [join(root, 'roles')],
    playbookPaths: [],
  });

  it('is valid, and declares every undo', () => {
    expect(
      checkPlaybook(playbook, modules, { files: localFiles, outside: [], requireUndo: true }),
    ).toEqual([]);
  });

  it('has a fingerprint, so that a rollback can be verified', () => {
    expect(playbook.fingerprint.length).toBeGreaterThan(0);
  });

  it('has task names in the imperative, without a full stop', () => {
    for (const { name } of playbook.plays.flatMap(playTasks)) expect(name).toMatch(/^[A-Z].*[^.]$/);
  });
});

describe.each(roles)('role %s', (role) => {
  it('is described', () => {
    const meta = parse(readFileSync(join(root, 'roles', role, 'meta', 'main.yml'), 'utf8')) as {
      description?: string;
      inputs?: Record<string, { description?: string; removed?: string }>;
    };
    expect(meta.description).toMatch(/\.$/);
    for (const [name, { description, removed }] of Object.entries(meta.inputs ?? {}))
      expect(description ?? removed, name).toBeTruthy();
    expect(existsSync(join(root, 'roles', role, 'README.md'))).toBe(true);
  });

  it('has defaults with its own name as their prefix', () => {
    const file = join(root, 'roles', role, 'defaults', 'main.yml');
    const defaults = existsSync(file)
      ? (parse(readFileSync(file, 'utf8')) as Record<string, unknown>)
      : {};
    for (const name of Object.keys(defaults)) expect(name.startsWith(`${role}_`)).toBe(true);
  });
});
