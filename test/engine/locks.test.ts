import { describe, expect, it } from 'vitest';
import { ConnectError, LockedError } from '../../src/core/errors.ts';
import type { Exchange, HostLock, HostSession } from '../../src/core/host.ts';
import type { InventoryHost } from '../../src/core/inventory.ts';
import { HostLocks, type LockParts } from '../../src/engine/locks.ts';
import { Log } from '../../src/journal/log.ts';
import type { Become } from '../../src/language/document.ts';
import { Redactor } from '../../src/util/redact.ts';
import { runRecord } from '../helpers/records.ts';

const become: Become = { enabled: false, user: 'root', method: 'sudo' };
const wanted = (...names: string[]) => new Map(names.map((name) => [name, become]));
const otherLock: HostLock = {
  run: 'other',
  owner: 'somebody@elsewhere',
  since: 0,
  leaseSeconds: 600,
  silentSeconds: 5,
};

function host(name: string): InventoryHost {
  const address = { name, transport: 'ssh', address: name, port: 22, user: 'root' } as const;
  return { name, address: { ...address, keyPath: undefined }, vars: {} };
}

interface World {
  hosts?: string[];
  /** Hosts that cannot be reached. */
  away?: string[];
  /** Hosts whose answer to the lock is lost. */
  silent?: string[];
  /** Hosts that another run holds. */
  taken?: string[];
  takeOver?: string[];
}

/** Locks whose log and hosts note what happens to them, in order. */
function given({ hosts = ['h1', 'h2'], away = [], silent = [], taken = [], takeOver = [] }: World) {
  const happened: string[] = [];
  const dialled: string[] = [];
  const memory = Log.inMemory(new Redactor());
  memory.write(runRecord({ hosts }));
  memory.subscribe(
    (entry) => {
      if (entry.t === 'lock' || entry.t === 'lock-refused')
        happened.push(`${entry.t} ${entry.host}`);
    },
    (error) => {
      throw error;
    },
  );
  const lost = (name: string) =>
    new ConnectError(`"${name}" is away.`, { host: name, stage: 'lost', retryable: true });
  const answer = (name: string, { control = {} }: Exchange) => {
    happened.push(`${Object.keys(control).join(' ')} ${name}`);
    if (silent.includes(name)) throw lost(name);
    const { lock } = control;
    const isTaken = taken.includes(name) && lock?.replaced !== otherLock.run;
    return { reads: [], control: lock ? { lock: isTaken ? otherLock : ('held' as const) } : {} };
  };
  const session = (name: string): HostSession => ({
    exchange: (request) => Promise.resolve().then(() => answer(name, request)),
  });
  const parts: LockParts = {
    clock: { every: () => () => undefined },
    log: {
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
        happened.push('on disk');
        return memory.sync();
      },
    },
    inventory: {
      file: '',
      hosts: new Map(hosts.map((name) => [name, host(name)])),
      groups: new Map(),
    },
    connections: {
      session: ({ name }) => {
        dialled.push(name);
        if (away.includes(name)) return Promise.reject(lost(name));
        return Promise.resolve(session(name));
      },
    },
    settings: { run: 'run', owner: 'me@here', takeOver, forks: 5, becomePassword: undefined },
    isSettledRun: () => false,
  };
  return {
    locks: new HostLocks(parts),
    happened,
    dialled,
    held: () => [...memory.state.locks.keys()],
  };
}

describe('locks of hosts', () => {
  it('are on disk, all at once, before the first host is asked', async () => {
    const { locks, happened, held } = given({});
    await locks.take(wanted('h1', 'h2'));
    expect(happened).toEqual(['lock h1', 'lock h2', 'on disk', 'lock h1', 'lock h2']);
    expect(held()).toEqual(['h1', 'h2']);
  });

  it('are taken once', async () => {
    const { locks, happened } = given({});
    await locks.take(wanted('h1'));
    happened.splice(0);
    await locks.take(wanted('h1'));
    await locks.ensure('h1');
    expect(happened).toEqual([]);
  });

  it('are given back, also by the host whose answer was lost, when another run holds one', async () => {
    const { locks, happened } = given({ hosts: ['h1', 'h2', 'h3'], taken: ['h2'], silent: ['h3'] });
    await expect(locks.take(wanted('h1', 'h2', 'h3'))).rejects.toThrow(LockedError);
    expect(happened.filter((line) => /unlock|refused/.test(line))).toEqual([
      'lock-refused h2',
      'unlock h1',
      'unlock h3',
    ]);
  });

  it('of another run are replaced when the operator says so', async () => {
    const { locks, held } = given({ taken: ['h1'], takeOver: ['other'] });
    await locks.take(wanted('h1'));
    expect(held()).toEqual(['h1']);
  });

  it('are not on record for a host that cannot be reached, and taken before it is changed', async () => {
    const world = { away: ['h2'] };
    const { locks, held } = given(world);
    await locks.take(wanted('h1', 'h2'));
    expect(held()).toEqual(['h1']);
    await expect(locks.ensure('h2')).rejects.toThrow(ConnectError);
    world.away.pop();
    await locks.ensure('h2');
    expect(held()).toEqual(['h1', 'h2']);
  });

  it('are asked of a host that is away once, not before each step', async () => {
    const { locks, dialled } = given({ away: ['h2'] });
    await locks.take(wanted('h1', 'h2'));
    await locks.take(wanted('h1', 'h2'));
    expect(dialled).toEqual(['h1', 'h2']);
  });

  it('stay on record when the answer is lost, and the host is not changed', async () => {
    const { locks, held } = given({ silent: ['h1'] });
    await locks.take(wanted('h1'));
    expect(held()).toEqual(['h1']);
    await expect(locks.ensure('h1')).rejects.toThrow('while it was being locked');
  });
});
