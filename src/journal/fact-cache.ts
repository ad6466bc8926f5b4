import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostAddress } from '../core/host.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Redactor } from '../util/redact.ts';

export interface CachedFacts {
  facts: JsonObject;
  gatheredAt: Date;
}

/** The part of the fact cache that a run uses. */
export type KnownFacts = Pick<FactCache, 'has' | 'read' | 'keep' | 'forget'>;

/**
 * The latest facts of each host, for runs that read facts of hosts outside their plays. One file
 * per host, mode 0600.
 */
export class FactCache {
  readonly #directory: string;
  readonly #redactor: Redactor;

  constructor(stateDir: string, redactor: Redactor) {
    this.#directory = join(stateDir, 'facts');
    this.#redactor = redactor;
  }

  keep(host: HostAddress, { facts, gatheredAt }: CachedFacts): void {
    const text = JSON.stringify({ gatheredAt: gatheredAt.toISOString(), facts });
    const file = this.#file(host);
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.new`, this.#redactor.mask(text), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch {
      // The run has the facts in memory and does not depend on the cache.
    }
  }

  /** Undefined if there are no facts or they cannot be read. */
  read(host: HostAddress): CachedFacts | undefined {
    try {
      const found: unknown = JSON.parse(readFileSync(this.#file(host), 'utf8'));
      if (!isJsonObject(found as JsonObject)) return undefined;
      const { gatheredAt, facts } = found as JsonObject;
      const when = new Date(String(gatheredAt));
      if (!isJsonObject(facts ?? null) || Number.isNaN(when.getTime())) return undefined;
      return { facts: facts as JsonObject, gatheredAt: when };
    } catch {
      return undefined;
    }
  }

  /** The same facts for check mode, which does not write to the cache. */
  readOnly(): KnownFacts {
    const nothing = () => undefined;
    return { has: this.has.bind(this), read: this.read.bind(this), keep: nothing, forget: nothing };
  }

  has(host: HostAddress): boolean {
    return existsSync(this.#file(host));
  }

  forget(host: HostAddress): void {
    try {
      rmSync(this.#file(host), { force: true });
    } catch {
      // The remaining facts contain the time at which they were gathered.
    }
  }

  clear(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** The file depends on the address, too, because the name may later belong to another host. */
  #file({ name, transport, address, port, jumps }: HostAddress): string {
    const place = createHash('sha256').update(
      JSON.stringify([name, transport, address, port, jumps]),
    );
    return join(this.#directory, `${place.digest('hex').slice(0, 32)}.json`);
  }
}
