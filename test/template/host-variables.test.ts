import { describe, expect, it } from 'vitest';
import { parseCondition } from '../../src/template/conditions.ts';
import { parseTemplate } from '../../src/template/templates.ts';
import { Condition } from '../../src/core/value.ts';

describe('the variables of other hosts that a template reads', () => {
  it.each([
    ['{{hostvars.web.port}}', ['port']],
    ['{{hostvars.web.port.number}}', ['port']],
    ['{{get (get hostvars item) "port" "number"}}', ['port']],
    ['{{get hostvars item "port"}}', ['port']],
    ['{{quote (get (get hostvars (first groups.web)) "port")}}', ['port']],
    ['{{#each groups.all as |h|}}{{get (get @root.hostvars h) "port"}}{{/each}}', ['port']],
    ['{{get (get hostvars (get (get hostvars item) "peer")) "port"}}', ['peer', 'port']],
    ['{{default hostvars.web.port 80}}', ['port']],
    ['{{#if hostvars.web.tls}}{{hostvars.web.port}}{{/if}}', ['port', 'tls']],
    ['{{inventory_hostname}} {{port}}', []],
    ['{{get (get hostvars item) key}}', ['*']],
    ['{{get hostvars item}}', ['*']],
    ['{{hostvars}}', ['*']],
    ['{{hostvars.web}}', ['*']],
    ['{{pluck (values hostvars) "port"}}', ['*']],
    ['{{#with (get hostvars item)}}{{port}}{{/with}}', ['*']],
    ['{{#each hostvars}}{{port}}{{/each}}', ['*']],
    ['{{get (get hostvars item) (get (get hostvars item) "key")}}', ['*', 'key']],
  ])('%s', (text, names) => {
    expect([...parseTemplate(text).hostVariables].sort()).toEqual(names);
  });
});

describe('the variables of other hosts that a condition reads', () => {
  it.each([
    ['hostvars.web.port == 80', ['port']],
    ['hostvars[item].port.number == 80', ['port']],
    ['hostvars[item]["port"] == 80', ['port']],
    ['has(hostvars[item].port)', ['port']],
    ['groups.all.all(h, hostvars[h].port == hostvars[groups.all[0]].other)', ['other', 'port']],
    ['hostvars[hostvars[item].peer].port == 80', ['peer', 'port']],
    ['port == 80', []],
    ['hostvars[item][key] == 80', ['*']],
    ['hostvars[item][hostvars[item].key] == 80', ['*', 'key']],
    ['"web" in hostvars', ['*']],
    ['hostvars.all(h, hostvars[h].port == 80)', ['*', 'port']],
    ['hostvars[item] == hostvars["web"]', ['*']],
  ])('%s', (text, names) => {
    expect([...parseCondition(new Condition(text)).hostVariables].sort()).toEqual(names);
  });
});

it('a template reads a variable that it names through @root', () => {
  const { optionalRoots } = parseTemplate('{{#each list}}{{@root.port}}{{@index}}{{/each}}');
  expect([...optionalRoots]).toEqual(['port']);
});
