import { describe, expect, it } from 'vitest';
import { TaskError } from '../../src/core/errors.ts';
import { walk, type Wishes } from '../helpers/walk.ts';

const play = (keywords: string, body: string) =>
  `- name: P\n  hosts: all\n${keywords === '' ? '' : `  ${keywords.replaceAll('\n', '\n  ')}\n`}${body.replaceAll(/^/gm, '  ')}\n`;
const step = (name: string, more = '') => `{ name: ${name}, command: ok${more} }`;
const tasks = (...names: string[]) => `tasks: [${names.map((name) => step(name)).join(', ')}]`;

async function ran(text: string, wishes: Wishes = {}): Promise<string[]> {
  return (await walk(text, wishes)).ran;
}

describe('the scheduler', () => {
  it('runs plays, sections and steps in order, each on all hosts', async () => {
    const body = `pre_tasks: [${step('Before')}]\n${tasks('One', 'Two')}\npost_tasks: [${step('After')}]`;
    const { ran: order, end } = await walk(play('', body) + play('', tasks('Three')));
    const all = 'h1 h2 h3';
    expect(order).toEqual(
      ['Before', 'One', 'Two', 'After', 'Three'].map((one) => `${one}: ${all}`),
    );
    expect(end).toEqual({ status: 'done', left: [], incomplete: false });
  });

  it('ends with the first failure, and reports its step and reason', async () => {
    const { ran: order, end } = await walk(play('', tasks('One', 'Two', 'Three')), {
      fails: { Two: ['h2'] },
    });
    expect(order).toEqual(['One: h1 h2 h3', 'Two: h1 h2 h3']);
    const message = 'h2: "Two" failed (p/two): no';
    expect(end).toEqual({ status: 'failed', message, changedAnything: false });
  });

  it('starts no step after an interruption, and ends as interrupted', async () => {
    let stopping = false;
    const { ran: order, end } = await walk(play('', tasks('One', 'Two')), {
      during: () => {
        stopping = true;
      },
      end: { isStopping: () => stopping },
    });
    expect(order).toEqual(['One: h1 h2 h3']);
    expect(end).toEqual({ status: 'interrupted', changedAnything: false });
  });

  it('treats a failure during an interruption as the interruption', async () => {
    let stopping = false;
    const { end } = await walk(play('', tasks('One')), {
      fails: { One: ['h1'] },
      during: () => {
        stopping = true;
      },
      end: { isStopping: () => stopping },
    });
    expect(end.status).toBe('interrupted');
  });

  it('neither rescues nor rolls back hosts that fail during an interruption', async () => {
    const last = `tasks: [{ name: B, block: [${step('One')}], rescue: [${step('Rescue')}] }]`;
    for (const text of [play('', last), play('max_failures: 1', tasks('One'))]) {
      let stopping = false;
      const walked = await walk(text, {
        fails: { One: ['h1'] },
        during: () => {
          stopping = true;
        },
        end: { isStopping: () => stopping },
      });
      expect(walked.ran).toEqual(['One: h1 h2 h3']);
      expect(walked.log.state.rescued.size).toBe(0);
      expect(walked.end.status).toBe('interrupted');
    }
  });

  it('starts no step after the time limit, unless a point of no return was passed', async () => {
    let now = 0;
    const time = { isTimeUp: () => (now += 10) >= 25 };
    const late = await walk(play('', tasks('One', 'Two', 'Three')), { end: time });
    expect(late.ran).toEqual(['One: h1 h2 h3', 'Two: h1 h2 h3']);
    expect(late.end).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('time') as string,
    });
    now = 0;
    const past = await walk(play('', tasks('One', 'Two', 'Three')), {
      end: time,
      records: [{ t: 'commit', name: 'c', key: 'c', unit: 0, irreversible: true }],
    });
    expect(past.end.status).toBe('done');
  });

  it('throws an error that is not the failure of a step', async () => {
    const broken = () => {
      throw new TaskError('broken');
    };
    await expect(walk(play('', tasks('One')), { during: broken })).rejects.toThrow('broken');
  });
});

describe('batches', () => {
  const serial = play('serial: 2', tasks('One', 'Two'));

  it('run one after the other, and are recorded', async () => {
    const { ran: order, log } = await walk(serial);
    expect(order).toEqual(['One: h1 h2', 'Two: h1 h2', 'One: h3', 'Two: h3']);
    expect(log.state.plays.get('p')).toEqual([['h1', 'h2'], ['h3']]);
  });

  it('of a resumed run are the recorded ones', async () => {
    const records = [{ t: 'play' as const, id: 'p', batches: [['h3'], ['h1', 'h2']] }];
    expect(await ran(serial, { records })).toEqual(
      expect.arrayContaining(['One: h3', 'One: h1 h2']),
    );
    expect((await ran(serial, { records }))[0]).toBe('One: h3');
  });

  it('do not start after a failed one', async () => {
    expect(await ran(serial, { fails: { Two: ['h2'] } })).toEqual(['One: h1 h2', 'Two: h1 h2']);
  });
});

describe('a tolerated failure', () => {
  const tolerant = play('max_failures: 1', tasks('One', 'Two'));

  it('excludes the host, which is rolled back before the next play', async () => {
    const { ran: order, end } = await walk(tolerant + play('', tasks('Three')), {
      fails: { One: ['h2'] },
    });
    expect(order).toEqual(['One: h1 h2 h3', 'Two: h1 h3', '(back: h2)', 'Three: h1 h3']);
    expect(end).toEqual({ status: 'done', left: ['h2'], incomplete: false });
  });

  it('makes the result incomplete if some changes of the host could not be undone', async () => {
    const { end } = await walk(tolerant, {
      fails: { One: ['h2'] },
      rollback: { rollBackHosts: () => Promise.resolve(false) },
    });
    expect(end).toEqual({ status: 'done', left: ['h2'], incomplete: true });
  });

  it('fails the run if more hosts fail than max_failures', async () => {
    const { ran: order, end } = await walk(tolerant, { fails: { One: ['h2'], Two: ['h1'] } });
    expect(order).toEqual(['One: h1 h2 h3', 'Two: h1 h3']);
    const message = 'h1, h2: "Two" failed (p/two): no';
    expect(end).toMatchObject({ status: 'failed', message });
  });

  it('is not rolled back in check mode', async () => {
    const { rolledBack, end } = await walk(tolerant, { check: true, fails: { One: ['h2'] } });
    expect(rolledBack).toEqual([]);
    expect(end).toMatchObject({ status: 'done', left: ['h2'] });
  });
});

describe('a block', () => {
  const block = (more = '') =>
    play(
      more,
      `tasks:
- name: B
  block: [${step('One')}, ${step('Two')}]
  rescue: [${step('Rescue')}]
  always: [${step('Always')}]
- ${step('After')}`,
    );

  it('runs its rescue on the failed hosts, and its always section on all', async () => {
    const { ran: order, knowledge } = await walk(block(), { fails: { One: ['h2'] } });
    expect(order).toEqual([
      ...['One: h1 h2 h3', 'Two: h1 h3', 'Rescue: h2', 'Always: h1 h2 h3', 'After: h1 h2 h3'],
    ]);
    const failed = { task: 'One', id: 'p/b/one', message: 'no', stated: false, run_once: false };
    expect(knowledge.facts.get('h2')).toEqual({ failed });
  });

  it('rescues its hosts in the order of the batch, independent of the order of failures', async () => {
    const { ran: order } = await walk(block(), { fails: { One: ['h3'], Two: ['h1'] } });
    expect(order).toContain('Rescue: h1 h3');
  });

  it('records the failures that its rescue handles, by step and host', async () => {
    const { log } = await walk(block(), { fails: { One: ['h3'], Two: ['h1'] } });
    const rescued = [...log.state.rescued].map(([key, hosts]) => [key, [...hosts.keys()]]);
    expect(rescued).toEqual([
      ['key of p/b/one', ['h3']],
      ['key of p/b/two', ['h1']],
    ]);
  });

  it('runs no rescue without a failure', async () => {
    expect(await ran(block())).toEqual(
      ['One', 'Two', 'Always', 'After'].map((name) => `${name}: h1 h2 h3`),
    );
  });

  it('runs its always section even if the rescue failed, and then fails', async () => {
    const { ran: order, end } = await walk(block(), { fails: { One: ['h2'], Rescue: ['h2'] } });
    expect(order.slice(-2)).toEqual(['Rescue: h2', 'Always: h1 h2 h3']);
    expect(end).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('"Rescue"') as string,
    });
  });

  it('runs its rescue and always sections if a tag selects one of its steps', async () => {
    const text = play(
      '',
      `tasks:
- name: B
  block: [${step('One', ', tags: [x]')}, ${step('Two')}]
  rescue: [${step('Rescue')}]
  always: [${step('Always')}]
- ${step('After')}`,
    );
    const order = await ran(text, { tags: ['x'], fails: { One: ['h1'] } });
    expect(order).toEqual(['One: h1 h2 h3', 'Rescue: h1', 'Always: h1 h2 h3']);
  });

  it('records its end after its always section', async () => {
    const opened: string[] = [];
    await walk(block(), {
      during: (name) => {
        opened.push(name);
      },
      rollback: {
        openBlock: ({ name }) => {
          opened.push(`open ${name}`);
          return () => {
            opened.push(`close ${name}`);
          };
        },
      },
    });
    expect(opened).toEqual(['open B', 'One', 'Two', 'Always', 'close B', 'After']);
  });
});

describe('handlers', () => {
  const body = (list: string, handlers = step('Restart')) =>
    play('', `tasks:\n${list}\nhandlers: [${handlers}]`);

  it('run once after the section that notified them, on the hosts that changed', async () => {
    const text = body(
      `- ${step('One', ', notify: Restart')}\n- ${step('Two', ', notify: Restart')}`,
    );
    const order = await ran(text, { fails: {} });
    expect(order).toEqual([...['One: h1 h2 h3', 'Two: h1 h2 h3', 'flush:tasks Restart: h1 h2 h3']]);
  });

  it('run at a flush in the order of their definition, including those that they notify', async () => {
    const text = body(
      `- ${step('One', ', notify: [Last, First]')}\n- meta: flush_handlers\n- ${step('Two')}`,
      [step('More'), step('First', ', notify: More'), step('Last')].join(', '),
    );
    expect((await ran(text)).map((line) => line.split(': ')[0])).toEqual([
      ...['One', 'flush:now First', 'flush:now Last', 'flush:now More', 'Two'],
    ]);
  });

  describe('after one of them fails on a host', () => {
    const two = (keywords: string, section: string) =>
      play(
        keywords,
        `${section}: [${step('One', ', notify: [A, B]')}]\nhandlers: [${step('A')}, ${step('B')}]`,
      );

    it.each(['tasks', 'post_tasks'])(
      'run on the other hosts if the play tolerates it, in %s',
      async (section) => {
        const text = two('max_failures: 1', section) + play('', tasks('Next'));
        const { ran: order, end, knowledge } = await walk(text, { fails: { A: ['h1'] } });
        expect(order).toEqual([
          ...['One: h1 h2 h3', `flush:${section} A: h1 h2 h3`, `flush:${section} B: h2 h3`],
          ...['(back: h1)', 'Next: h2 h3'],
        ]);
        expect(end).toEqual({ status: 'done', left: ['h1'], incomplete: false });
        expect([...knowledge.notified].filter(([host]) => host !== 'h1')).toEqual([
          ['h2', new Set()],
          ['h3', new Set()],
        ]);
      },
    );

    it('run on no host if the play does not tolerate it', async () => {
      const order = await ran(two('', 'tasks'), { fails: { A: ['h1'] } });
      expect(order).toEqual(['One: h1 h2 h3', 'flush:tasks A: h1 h2 h3']);
    });

    it('run on the other hosts if a rescue follows', async () => {
      const block = `{ name: F, block: [{ meta: flush_handlers }], rescue: [${step('Rescue')}] }`;
      const text = play(
        '',
        `tasks: [${step('One', ', notify: [A, B]')}, ${block}]\nhandlers: [${step('A')}, ${step('B')}]`,
      );
      expect(await ran(text, { fails: { A: ['h1'] } })).toEqual([
        ...['One: h1 h2 h3', 'flush:now A: h1 h2 h3', 'flush:now B: h2 h3', 'Rescue: h1'],
        'flush:tasks B: h1',
      ]);
    });
  });

  it('end the run if they fail', async () => {
    const text = body(`- ${step('One', ', notify: Restart')}`) + play('', tasks('Next'));
    const { ran: order, end } = await walk(text, { fails: { Restart: ['h1'] } });
    expect(order).toHaveLength(2);
    expect(end.status).toBe('failed');
  });
});

describe('strategy: free', () => {
  const text = play('strategy: free', tasks('One', 'Two'));

  it('runs hosts independently', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((done) => (release = done));
    const order = await ran(text, {
      hosts: ['h1', 'h2'],
      during: (name, [host]) => {
        if (name === 'Two' && host === 'h2') release();
        return name === 'One' && host === 'h1' ? held : undefined;
      },
    });
    expect(order).toEqual(['One: h1', 'One: h2', 'Two: h2', 'Two: h1']);
  });

  it('stops the other hosts at their next step after a failure, also inside a block', async () => {
    const block = `tasks: [${step('One')}, { name: B, block: [${step('Two')}, ${step('Three')}], rescue: [${step('Four')}] }]`;
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((done) => (begin = done));
    const { ran: order, end } = await walk(play('strategy: free', block), {
      hosts: ['h1', 'h2'],
      fails: { One: ['h1'] },
      during: async (name, [host]) => {
        if (name === 'One' && host === 'h1') await begun;
        if (name !== 'Two') return;
        begin();
        await new Promise((resolve) => setImmediate(resolve));
      },
    });
    expect(order).toEqual(['One: h1', 'One: h2', 'Two: h2']);
    expect(end).toMatchObject({ status: 'failed' });
  });
});

describe('an include', () => {
  const text = play('', `tasks:\n- { name: More, include_tasks: '{{file}}' }\n- ${step('After')}`);
  const files = {
    'web.yml': `- ${step('Web')}\n`,
    'db.yml': `- ${step('Db', ', notify: Nobody')}\n`,
  };

  it('runs each part on the hosts that share it', async () => {
    const includes = { More: { h1: 'web.yml', h2: 'one.yml', h3: 'web.yml' } };
    const more = { ...files, 'one.yml': `- ${step('One')}\n` };
    expect(await ran(text, { files: more, includes })).toEqual([
      ...['More: h1 h2 h3', 'Web: h1 h3', 'One: h2', 'After: h1 h2 h3'],
    ]);
  });

  it('fails on the hosts of an invalid part', async () => {
    const includes = { More: { h1: 'web.yml', h2: 'db.yml', h3: 'web.yml' } };
    const { ran: order, end } = await walk(text, { files, includes });
    expect(order).toEqual(['More: h1 h2 h3', 'Web: h1 h3']);
    expect(end).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('h2: /p/db.yml:1:3: Task "Db" notifies "Nobody"') as string,
    });
  });
});

describe('meta', () => {
  const ends = (action: string) =>
    play(
      'serial: 2',
      `tasks:\n- ${step('One')}\n- { name: End, meta: ${action} }\n- ${step('Two')}`,
    );

  it.each([
    ['end_host', ['One: h1 h2', 'End: h1 h2', 'Two: h2', 'One: h3', 'End: h3']],
    ['end_batch', ['One: h1 h2', 'End: h1 h2', 'One: h3', 'End: h3']],
    ['end_play', ['One: h1 h2', 'End: h1 h2']],
  ])('%s ends the play for its hosts', async (action, expected) => {
    expect(await ran(ends(action), { unmet: { End: ['h2'] } })).toEqual(expected);
  });

  it('end_role ends the enclosing role', async () => {
    const role = `- ${step('One')}\n- { name: End, meta: end_role }\n- ${step('Two')}\n`;
    const order = await ran(play('', `roles: [r]\ntasks: [${step('After')}]`), {
      files: { 'roles/r/tasks/main.yml': role },
      unmet: { End: ['h3'] },
    });
    expect(order).toEqual([...['One: h1 h2 h3', 'End: h1 h2 h3', 'Two: h3', 'After: h1 h2 h3']]);
  });

  it('clear_facts and reset_connection run on the hosts whose condition is true', async () => {
    const meta = (action: string) => `- { name: End, meta: ${action} }`;
    const done: string[] = [];
    await walk(play('', `tasks:\n${meta('clear_facts')}\n${meta('reset_connection')}`), {
      unmet: { End: ['h2'] },
      nodes: {
        meta: ({ action }, hosts) => {
          done.push(`${action} ${hosts.join(' ')}`);
          return Promise.resolve();
        },
      },
    });
    expect(done).toEqual(['clear_facts h1 h3', 'reset_connection h1 h3']);
  });
});

describe('a commit point or point of no return after a handler or gate failed on one host', () => {
  const wipe = step('Wipe', ', irreversible: gone');
  const handlers = `handlers: [${step('A')}]`;
  const first = step('One', ', notify: A');

  it.each([
    ['a step', `tasks: [${first}, ${wipe}, ${step('After')}]\n${handlers}`, 'no-return:wipe A'],
    [
      'a commit point',
      `tasks: [${first}, { commit: Done, irreversible: gone }, ${step('After')}]\n${handlers}`,
      'commit:commit-done A',
    ],
    [
      'the gate of a commit point',
      `tasks: [${step('One')}, { commit: Done, gate: [${step('A')}] }, ${step('After')}]`,
      'A',
    ],
  ])('starts on no host: %s', async (_, body, at) => {
    const {
      ran: order,
      end,
      log,
    } = await walk(play('max_failures: 1', body), {
      fails: { A: ['h1'] },
    });
    expect(order).toEqual(['One: h1 h2 h3', `${at}: h1 h2 h3`]);
    const message: unknown = expect.stringMatching(/^h1, h2, h3: .*"A" failed/);
    expect(end).toMatchObject({ status: 'failed', message });
    expect(log.state.commit).toBeUndefined();
  });

  it('is rescued on all hosts by the enclosing block', async () => {
    const block = `{ name: B, block: [${wipe}, ${step('Two')}], rescue: [${step('Rescue')}] }`;
    const text = play('', `tasks: [${first}, ${block}]\n${handlers}`);
    expect(await ran(text, { fails: { A: ['h1'] } })).toEqual([
      ...['One: h1 h2 h3', 'no-return:b/wipe A: h1 h2 h3', 'Rescue: h1 h2 h3'],
    ]);
  });
});
