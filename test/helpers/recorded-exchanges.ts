import { describeAction } from '../../src/core/action.ts';
import { describePath } from '../../src/core/host-path.ts';
import type { Answer, Connections, Exchange } from '../../src/core/host.ts';

/** Requests to hosts and their answers, one line each, by host. */
export type Exchanges = Map<string, string[]>;

/** Wraps a function that opens sessions, and records their exchanges. */
export function recording(
  session: Connections['session'],
  into: Exchanges,
): Connections['session'] {
  return async (address, identity) => {
    const real = await session(address, identity);
    return {
      exchange: async (request, limits) => {
        const answer = await real.exchange(request, limits);
        const known = into.get(address.name) ?? [];
        known.push(...linesOf(request, answer));
        into.set(address.name, known);
        return answer;
      },
    };
  };
}

/**
 * Leaves out requests of the run, such as locks, which do not depend on the programs of the host.
 */
function linesOf({ reads = [], change }: Exchange, answer: Answer): string[] {
  const said = (output?: { code: number; stdout: string }): string =>
    `-> ${String(output?.code)} ${JSON.stringify(output?.stdout)}`;
  const asked = reads.map(({ script, paths = [] }, index) => {
    const where = paths.map((path) => ` ${describePath(path)}`).join('');
    return `ask ${script}${where} ${said(answer.reads[index])}`;
  });
  const done = (change?.actions ?? []).map((action, index) => {
    const words =
      action.kind === 'exec' ? `exec ${JSON.stringify(action.argv)}` : describeAction(action);
    return `do ${words} ${said(answer.change?.outputs[index])}`;
  });
  return [...asked, ...done];
}
