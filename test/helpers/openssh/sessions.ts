import { afterEach } from 'vitest';
import type { Action } from '../../../src/core/action.ts';
import type { Change, HostSession, Identity } from '../../../src/core/host.ts';
import type { HostConnections } from '../../../src/transport/connections.ts';
import { look } from '../exchange.ts';
import { testConnections, type TestConnections } from '../connections.ts';

/** Time limit of one request. Only a failing test exceeds it. */
export const limit = { timeoutMs: 30_000 };

/** The user of the connection, without privilege escalation. */
export const login: Identity = { user: undefined, method: 'sudo', password: undefined };

/** Both ways to connect: with our own client, and with the `ssh` program. */
export const transports = ['ssh', 'openssh'] as const;

/** Opens connections that are closed after each test of the surrounding `describe`. */
export function connectionsOfTest(): (options?: TestConnections) => HostConnections {
  const open: HostConnections[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
  });
  return (options) => {
    const connections = testConnections(options);
    open.push(connections);
    return connections;
  };
}

/** Actions without copies and without a record. */
export function batch(...actions: Action[]): Change {
  return { actions };
}

/** A command that is a shell script. */
export function exec(script: string, more: Partial<Change> = {}): Change {
  return { ...batch({ kind: 'exec', argv: ['sh', '-c', script] }), ...more };
}

/** Standard output of a read-only script. */
export async function output(session: HostSession, script: string): Promise<string | undefined> {
  const [answer] = await look(session, script);
  return answer?.stdout;
}
