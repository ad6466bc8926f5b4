import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeAction, type HttpRequest, type HttpResponse } from '../../src/core/action.ts';
import { RunnerError } from '../../src/core/errors.ts';
import type { Fact } from '../../src/core/fact.ts';
import type { HostPath } from '../../src/core/host-path.ts';
import type { JsonObject } from '../../src/core/json.ts';
import {
  effectOf,
  HostCopy,
  type Module,
  type ModuleCall,
  type Sight,
} from '../../src/core/module.ts';
import { placeCopies } from '../../src/engine/undo-plan.ts';
import type { ArchiveEntry } from '../../src/util/archive.ts';
import type { DirectoryEntry } from '../../src/util/directory.ts';
import { validateValue } from '../../src/util/schema.ts';

interface Case {
  title: string;
  args: JsonObject;
  /** Answers by "fact.name param param". */
  facts?: Record<string, unknown>;
  files?: Record<string, string>;
  directories?: Record<string, DirectoryEntry[]>;
  archives?: Record<string, ArchiveEntry[]>;
  responses?: Record<string, HttpResponse>;
}

export interface ModuleCases {
  /** The module acts each time it is called. */
  acts?: boolean;
  /**
   * Cases without a change, which show that the module is idempotent. At least one, unless the
   * module always acts.
   */
  settled: (Case & { result?: JsonObject })[];
  changes?: (Case & { actions: string[]; restore?: ModuleCall[] })[];
  /** Rejected with this error code. */
  refused?: (Case & { code: string })[];
}

/** A host that returns the answers of the case, and fails for any other query. */
export function fakeHost({
  facts = {},
  files = {},
  directories = {},
  archives = {},
  responses = {},
}: Partial<Case>): Sight {
  const file = (path: string): Promise<Buffer> => {
    const text = files[path];
    return text === undefined
      ? Promise.reject(new Error(`The case has no file "${path}".`))
      : Promise.resolve(Buffer.from(text));
  };
  const host: Sight['host'] = {
    name: 'host1',
    wantsDiff: true,
    copyOf: (path) => new HostCopy(path),
    fact<P extends HostPath[], T>(fact: Fact<P, T>, ...params: P): Promise<T> {
      const key = [fact.name, ...params.map(wordOf)].join(' ');
      if (!Object.hasOwn(facts, key))
        return Promise.reject(new Error(`The case has no fact "${key}".`));
      return Promise.resolve(facts[key] as T);
    },
  };
  const controller: Sight['controller'] = {
    file,
    directory: (path) => {
      const entries = directories[path];
      return Promise.resolve(entries && { path: `/controller/${path}`, entries });
    },
    archive: (path) =>
      Object.hasOwn(archives, path)
        ? Promise.resolve(archives[path] ?? [])
        : Promise.reject(new Error(`The case has no archive "${path}".`)),
    fileInfo: async (path) => {
      const bytes = await file(path);
      const checksum = createHash('sha256').update(bytes).digest('hex');
      const own = path.startsWith('/') ? path : `/controller/${path}`;
      return { path: own, size: bytes.length, mode: '0640', checksum };
    },
    render: async (path) => (await file(path)).toString(),
    keptCopy: (path) => {
      const text = files[wordOf(path)];
      return text === undefined ? undefined : Buffer.from(text);
    },
    randomBytes: (count) => Buffer.alloc(count, 0xab),
    checksum: (path) => Promise.resolve(facts[`local ${path}`] as string | undefined),
    request({ method, url }: HttpRequest) {
      const response = responses[`${method} ${url}`];
      return response
        ? Promise.resolve(response)
        : Promise.reject(new Error(`No response for ${method} ${url}.`));
    },
  };
  return { host, controller, once: false };
}

/** The copy of /etc/a is /captured/etc/a. */
function wordOf(path: HostPath): string {
  return typeof path === 'string' ? path : `/captured${path.copyOf}`;
}

/** Runs a module's cases: arguments and facts in, actions out. */
export function testModule<A>(module: Module<A>, cases: ModuleCases): void {
  const titles = [...cases.settled, ...(cases.changes ?? []), ...(cases.refused ?? [])].map(
    ({ title }) => title,
  );
  const plan = async (one: Case) => {
    expect(validateValue(module.args, one.args), 'arguments fit the schema').toEqual([]);
    return module.plan(one.args as A, fakeHost(one));
  };

  describe(module.name, () => {
    it('has distinct titles, and a case without a change unless it always acts', () => {
      expect(new Set(titles).size).toBe(titles.length);
      expect(cases.settled.length > 0).toBe(cases.acts !== true);
    });
    for (const one of cases.settled) {
      it(`no change: ${one.title}`, async () => {
        const { actions, result } = await plan(one);
        if (effectOf(module, one.args) !== 'reads') expect(actions).toEqual([]);
        if (one.result) expect(result).toMatchObject(one.result);
      });
    }
    for (const one of cases.changes ?? []) {
      it(`changes: ${one.title}`, async () => {
        const { actions, undo } = await plan(one);
        expect(actions.map(describeAction)).toEqual(one.actions);
        if (one.restore) {
          const calls = placeCopies(undo?.calls ?? [], (path) => `/captured${path}`);
          expect(calls).toEqual(one.restore);
        }
      });
    }
    for (const one of cases.refused ?? []) {
      it(`rejects: ${one.title}`, async () => {
        const problems = validateValue(module.args, one.args);
        if (one.code === 'SCHEMA') {
          expect(problems).not.toEqual([]);
          return;
        }
        expect(problems).toEqual([]);
        const error = await Promise.resolve()
          .then(() => module.plan(one.args as A, fakeHost(one)))
          .then(
            () => undefined,
            (reason: unknown) => reason,
          );
        expect(error).toBeInstanceOf(RunnerError);
        expect((error as RunnerError).code).toBe(one.code);
      });
    }
  });
}

export function fileFact(state: Partial<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    type: 'file',
    mode: '0644',
    uid: 0,
    gid: 0,
    owner: 'root',
    group: 'root',
    size: 0,
    mtime: 0,
    checksum: '',
    target: '',
    ...state,
  };
}

export const absent = fileFact({
  type: 'absent',
  mode: '',
  owner: '',
  group: '',
  uid: -1,
  gid: -1,
});
