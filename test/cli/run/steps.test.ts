import { describe, expect, it } from 'vitest';
import { builtinModules as modules } from '../../../src/cli/builtin-modules.ts';
import { hostLines, tagLines, taskLines } from '../../../src/cli/run/lists.ts';
import { checkTags, failingStep, stepsLeftOut } from '../../../src/cli/run/steps.ts';
import { loadInventory } from '../../../src/inventory/load.ts';
import { loadPlaybook } from '../../../src/playbook/load.ts';
import { memoryFiles } from '../../helpers/memory-files.ts';

const text = `
- name: Web
  hosts: web
  tasks:
    - { name: First, ping: , tags: [a] }
    - { name: Second, ping: , tags: [b] }
    - { commit: gone, irreversible: it is so }
    - { name: Third, ping: }
- name: Later
  hosts: made_later
  tasks: [{ name: Fourth, ping: }]
`;
const playbook = loadPlaybook('/site.yml', {
  modules,
  files: memoryFiles({ '/site.yml': text }),
  rolePaths: [],
  playbookPaths: [],
});

describe('--from', () => {
  it('skips the steps before the one with the given ID or name', () => {
    expect(stepsLeftOut(playbook, undefined)).toEqual([]);
    expect(stepsLeftOut(playbook, 'Second')).toEqual(['web/first']);
    expect(stepsLeftOut(playbook, 'web/second')).toEqual(['web/first']);
  });

  it('suggests a step with a similar name', () => {
    expect(() => stepsLeftOut(playbook, 'Secund')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('Second') as string }) as Error,
    );
  });
});

describe('--fail-at', () => {
  it.each([
    ['Second', 'web/second'],
    ['web/third', 'web/third'],
    // "last" is the last step before the point of no return, after which a rollback is impossible.
    ['last', 'web/second'],
  ])('"%s" selects the step %s', (wanted, id) => {
    expect(failingStep(playbook, wanted)).toBe(id);
  });

  it('refuses a step that does not exist', () => {
    expect(() => failingStep(playbook, 'Nothing')).toThrow('There is no step "Nothing".');
  });
});

describe('--tags and --skip-tags', () => {
  it.each(['a', 'always', 'never', 'all', 'tagged', 'untagged'])('accept "%s"', (tag) => {
    expect(() => {
      checkTags(playbook, [tag]);
    }).not.toThrow();
  });

  it('refuse a tag that no task has', () => {
    expect(() => {
      checkTags(playbook, ['a', 'c']);
    }).toThrow('No task has the tag "c".');
  });
});

describe('--list-tasks, --list-tags and --list-hosts', () => {
  it('print step IDs and tags', () => {
    expect(taskLines(playbook)).toContain('  web/first  [a]');
    expect(tagLines(playbook)).toEqual(['web: a, b', 'later: (none)']);
  });

  it('print the hosts of each play within the limit, unless its group is created during the run', () => {
    const inventory = loadInventory('h1,h2,');
    inventory.groups.set('web', ['h1', 'h2']);
    expect(hostLines(playbook, inventory, undefined)).toEqual([
      'web (web): h1, h2',
      'later (made_later): known only during the run',
    ]);
    expect(hostLines(playbook, inventory, 'h2')[0]).toBe('web (web): h2');
  });
});
