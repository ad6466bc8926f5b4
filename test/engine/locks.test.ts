import { describe, expect, it } from 'vitest';
import { ConnectError, LockedError } from '../../src/core/errors.ts';
import type { Control, ControlAnswers, HostLock, HostSession } from '../../src/core/host.ts';
import { HostLocks, type LockParts } from '../../src/engine/locks.ts';
import { Log } from '../../src/journal/log.ts';
import type { Become } from '../../src/language/document.ts';
import { Redactor } from '../../src/util/redact.ts';
import { recordedHosts, runRecord } from '../helpers/records.ts';
import { SteppingClock } from '../helpers/stepping-clock.ts';
import { noBecome } from '../helpers/tasks.ts';

const hosts = ['h1', 'h2', 'h3'];
const held = (run: string, silentSeconds = 5): HostLock => ({
  ...{ run, owner: 'ada@desk', since: 60, leaseSeconds: 600, silentSeconds },
});
const wanted = (...names: string[]): Map<string, Become> =>
  new Map(names.map((name) => [name, noBecome]));

/** Hosts that handle locks like real ones. */
class Hosts {
  readonly locks = new Map<string, HostLock>();
  readonly away = new Set<string>();
  /** Hosts whose answer to the next lock is lost. */
  readonly losing = new Set<string>();
  readonly calls: string[] = [];
  readonly dialled: string[] = [];

  session = ({ name }: { name: string }): Promise<HostSession> => {
    this.dialled.push(name);
    if (this.away.has(name)) return Promise.reject(this.#error(name));
    return Promise.resolve({
      exchange: async ({ control = {} }) => {
        this.calls.push(`${Object.keys(control).join()} ${name}`);
        const answer = this.#answer(name, control);
        if (this.losing.delete(name)) throw this.#error(name);
        return Promise.resolve({ reads: [], control: answer });
      },
    });
  };

  #error(host: string): ConnectError {
    return new ConnectError('no answer', { host, stage: 'connect', retryable: true });
  }

  #answer(name: string, { lock, renew, unlock }: Control): ControlAnswers {
    const known = this.locks.get(name);
    const isOwn = known?.run === 'mine';
    if (lock && known && !isOwn && lock.replaced !== known.run) return { lock: known };
    if (lock) this.locks.set(name, { ...held('mine'), owner: lock.owner });
    if (lock) return { lock: 'held' };
    if (renew) return { renew: isOwn ? 'held' : { lostTo: known?.run ?? '' } };
    if (unlock && isOwn) this.locks.delete(name);
    return { unlock: 'done' };
  }
}

function given({ takeOver = [] as string[], settled = [] as string[] } = {}) {
  const connections = new Hosts();
  const clock = new SteppingClock();
  const memory = Log.inMemory(new Redactor());
  memory.write(runRecord({ run: 'mine', hosts }));
  const log: LockParts['log'] = {
    get state() {
      return memory.state;
    },
    write: (record) => {
      memory.write(record);
    },
    signal: (signal) => {
      memory.signal(signal);
    },
    sync: () => {
      connections.calls.push(`sync ${[...memory.state.locks.keys()].join(' ')}`);
      return memory.sync();
    },
  };
  const said: string[] = [];
  memory.subscribe(
    (entry) => {
      if (entry.t === 'message') said.push(entry.text);
    },
    (error) => {
      throw error;
    },
  );
  const inventory = { file: '', hosts: recordedHosts(memory.state), groups: new Map() };
  const settings = { run: 'mine', owner: 'me@here', takeOver, forks: 5, becomePassword: undefined };
  const isSettledRun = (run: string) => settled.includes(run);
  const locks = new HostLocks({ connections, clock, log, inventory, settings, isSettledRun });
  const recorded = () => [...memory.state.locks.keys()];
  /** Requests to hosts. */
  const asked = () => connections.calls.filter((call) => !call.startsWith('sync'));
  return { locks, hosts: connections, clock, said, recorded, asked, log };
}

describe('locking hosts', () => {
  it('locks each of them once, except the controller', async () => {
    const { locks, hosts: known, recorded, asked } = given();
    await locks.take(wanted('h1', 'localhost'));
    await locks.take(wanted('h1', 'h2'));
    expect(asked()).toEqual(['lock h1', 'lock h2']);
    expect(known.locks.get('h1')).toMatchObject({ owner: 'me@here' });
    expect(recorded()).toEqual(['h1', 'h2']);
  });

  it('writes all hosts to disk before it locks the first', async () => {
    const { locks, hosts: known } = given();
    await locks.take(wanted('h1', 'h2'));
    expect(known.calls).toEqual(['sync h1 h2', 'lock h1', 'lock h2']);
  });

  it('locks none when another run holds one of them, and reports that run', async () => {
    const { locks, hosts: known, recorded } = given();
    known.locks.set('h2', held('other'));
    known.locks.set('h3', held('old', 4000));
    const error = await locks.take(wanted('h1', 'h3', 'h2')).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(LockedError);
    expect(error).toMatchObject({
      message:
        'h2 is locked by run other of ada@desk since 1970-01-01T00:01:00.000Z (last seen 5 s ago); ' +
        'h3 is locked by run old of ada@desk since 1970-01-01T00:01:00.000Z (last seen 4000 s ago, lease expired). ' +
        'Run mine changes nothing there.',
      hint: expect.stringMatching(/rollback other".*--take-over other.*rollback old"/s) as string,
    });
    expect([...known.locks].map(([name, { run }]) => `${name} ${run}`).sort()).toEqual([
      ...['h2 other', 'h3 old'],
    ]);
    expect(recorded()).toEqual(['h1']);
  });

  it('keeps the locks of an earlier process of the run when the rest fails', async () => {
    const { locks, hosts: known, log } = given();
    log.write({ t: 'lock', host: 'h1', become: noBecome });
    known.locks.set('h1', held('mine'));
    known.locks.set('h2', held('other'));
    await expect(locks.take(wanted('h1', 'h2'))).rejects.toThrow(LockedError);
    expect(known.locks.get('h1')?.run).toBe('mine');
  });

  it.each([
    ['--take-over names it', { takeOver: ['other'] }],
    ['this machine knows that the run has ended', { settled: ['other'] }],
  ])('replaces the lock of another run if %s', async (_, wishes) => {
    const { locks, hosts: known } = given(wishes);
    known.locks.set('h1', held('other'));
    await locks.take(wanted('h1'));
    expect(known.locks.get('h1')?.run).toBe('mine');
    known.locks.set('h2', held('third'));
    await expect(locks.take(wanted('h2'))).rejects.toThrow('locked by run third');
  });

  it('postpones an unreachable host until a step changes it', async () => {
    const { locks, hosts: known, recorded, asked } = given();
    known.away.add('h2');
    for (let step = 0; step < 2; step++) await locks.take(wanted('h1', 'h2'));
    expect({ dialled: known.dialled, recorded: recorded() }).toEqual({
      ...{ dialled: ['h1', 'h2'], recorded: ['h1'] },
    });
    await expect(locks.ensure('h2')).rejects.toThrow('"h2" was lost while it was being locked');
    known.away.delete('h2');
    for (const host of ['h2', 'h2', 'h1']) await locks.ensure(host);
    expect(asked()).toEqual(['lock h1', 'lock h2']);
    expect(recorded()).toEqual(['h1', 'h2']);
  });

  it('does not change a host whose answer was lost, and keeps its record', async () => {
    const { locks, hosts: known, recorded } = given();
    known.losing.add('h1');
    await locks.take(wanted('h1'));
    known.losing.add('h1');
    await expect(locks.ensure('h1')).rejects.toThrow('while it was being locked');
    expect(recorded()).toEqual(['h1']);
  });

  it('does not change a host that became reachable with the lock of another run', async () => {
    const { locks, hosts: known } = given();
    known.away.add('h2');
    await locks.take(wanted('h2'));
    known.away.delete('h2');
    known.locks.set('h2', held('other'));
    await expect(locks.ensure('h2')).rejects.toThrow(LockedError);
  });
});

describe('unlocking hosts', () => {
  it('unlocks the given hosts, or all', async () => {
    const { locks, hosts: known } = given();
    await locks.take(wanted(...hosts));
    await locks.release(['h2']);
    expect([...known.locks.keys()]).toEqual(['h1', 'h3']);
    await locks.release();
    expect([...known.locks.keys()]).toEqual([]);
  });

  it('includes a host whose answer was lost, since it may be locked', async () => {
    const { locks, hosts: known, recorded, asked } = given();
    known.losing.add('h1');
    await locks.take(wanted('h1'));
    expect(recorded()).toEqual(['h1']);
    await locks.release();
    expect(asked()).toEqual(['lock h1', 'unlock h1']);
    expect(known.locks.size).toBe(0);
  });

  it('continues with the others when a host is unreachable', async () => {
    const { locks, hosts: known } = given();
    await locks.take(wanted('h1', 'h2'));
    known.away.add('h1');
    await locks.release();
    expect([...known.locks.keys()]).toEqual(['h1']);
  });
});

describe('a run that holds locks', () => {
  it('renews them until it stops', async () => {
    const { locks, clock, asked } = given();
    await locks.take(wanted('h1'));
    await clock.turn();
    locks.stop();
    await clock.turn();
    expect(asked()).toEqual(['lock h1', 'renew h1']);
  });

  it.each([
    ['other', 'Run other took it over'],
    ['', 'The lock was removed'],
  ])('detects and reports once that "%s" took over its locks', async (run, why) => {
    const { locks, hosts: known, clock, said } = given();
    await locks.take(wanted('h1', 'h2'));
    expect(locks.lost).toBeUndefined();
    for (const name of ['h1', 'h2'])
      if (run === '') known.locks.delete(name);
      else known.locks.set(name, held(run));
    await clock.turn();
    await clock.turn();
    expect(locks.lost).toBe(run);
    expect(said).toEqual([
      `This run no longer holds the lock of h1. ${why}; no new step is started.`,
    ]);
  });

  it('continues when a host does not answer a renewal', async () => {
    const { locks, hosts: known, clock, said } = given();
    await locks.take(wanted('h1'));
    known.away.add('h1');
    await clock.turn();
    expect({ lost: locks.lost, said }).toEqual({ lost: undefined, said: [] });
  });
});
