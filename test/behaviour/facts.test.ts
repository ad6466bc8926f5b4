import { onH1, rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('facts');

rule('gather_facts: runs only if facts are used; a host that does not answer fails', {
  seen: [
    'test/lab/facts.test.ts',
    'are gathered once in a run, before the first play that uses them',
  ],
  text: '- { name: P, hosts: all, gather_facts: true, tasks: [{ name: A, command: ok }] }',
  away: ['h2'],
  trace: [/^Gather facts: .*h2 unreachable/],
  failed: true,
});

rule('facts: have a time limit of a minute, or the timeout of the task if that is longer', {
  text: '- { name: A, copy: { content: x, dest: /etc/x } }',
  settings: onH1,
  patience: 60_000,
  also: [
    {
      text: '- { name: A, copy: { content: x, dest: /etc/x }, timeout: 600 }',
      settings: onH1,
      patience: 600_000,
    },
    {
      text: '- { name: A, copy: { content: x, dest: /etc/x }, timeout: 5 }',
      settings: onH1,
      patience: 60_000,
    },
  ],
});

rule('facts: are gathered in one round trip, with a time limit for each probe', {
  seen: ['test/facts/host.test.ts', 'late_probes'],
});
