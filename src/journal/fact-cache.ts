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

/** What a run does with the facts of earlier runs. */
export type KnownFacts = Pick<FactCache, 'has' | 'read' | 'keep' | 'forget'>;

/** Facts of hosts as they were gathered last, for runs that read those of hosts they do not play on. A file a host, 0600. */
export class FactCache {
  readonly #folder: string;
  readonly #redactor: Redactor;

  constructor(stateDir: string, redactor: Redactor) {
    this.#folder = join(stateDir, 'facts');
    this.#redactor = redactor;
  }

  keep(host: HostAddress, { facts, gatheredAt }: CachedFacts): void {
    const text = JSON.stringify({ gatheredAt: gatheredAt.toISOString(), facts });
    const file = this.#file(host);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.new`, this.#redactor.mask(text), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch {
      // It is a convenience: the run has the facts.
    }
  }

  /** Undefined when there are none, or what is there cannot be read. */
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

  /** The same facts for a check, which keeps and forgets none. */
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
      // Its age is told when it is read.
    }
  }

  clear(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Another host may have the name one day: where it is reached counts, too. */
  #file({ name, transport, address, port, jumps }: HostAddress): string {
    const place = createHash('sha256').update(
      JSON.stringify([name, transport, address, port, jumps]),
    );
    return join(this.#folder, `${place.digest('hex').slice(0, 32)}.json`);
  }
}
