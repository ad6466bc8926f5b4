import type { CommandOutput } from '../core/fact.ts';
import { realPath } from '../facts/file.ts';
import { unitStatus } from '../facts/systemd.ts';
import {
  answer,
  UnknownProgram,
  type Call,
  type ModelHost,
  type Service,
  type Skills,
} from './model-host.ts';

/**
 * Programs of plain model hosts: `ok`, `fail`, `say WORDS`, `rc N`, `fail-on HOST…`, `flaky N` (fails N times), `env NAME…`,
 * `put PATH TEXT` (replaces a file), `show PATH` and `restore PATH WORDS` (the output of `show`),
 * `systemctl`. Each host has its own instance, since `flaky` counts its calls.
 */
export class PlainSkills implements Skills {
  readonly #calls = new Map<string, number>();

  answer(host: ModelHost, script: string): CommandOutput | undefined {
    for (const [name, service] of host.services) {
      if (script === unitStatus.command(name).script) return answer(0, statusText(service));
    }
    const link = [...host.tree.copyOf('')].find(
      ([name, { type }]) => type === 'link' && script === realPath.command(name).script,
    );
    return link && answer(0, `${link[1].content.toString()}\n`);
  }

  run(host: ModelHost, argv: readonly string[], { env }: Call): CommandOutput {
    const [word = '', ...words] = argv;
    const [path = '', ...rest] = words;
    const no = (code = 1) => answer(code, '', 'it said no\n');
    switch (word) {
      case 'ok':
        return answer(0);
      case 'fail':
        return no();
      case 'say':
        return answer(0, `${words.join(' ')}\n`);
      case 'rc':
        return path === '0' ? answer(0) : no(Number(path));
      case 'fail-on':
        return words.includes(host.name) ? no() : answer(0);
      case 'env':
        return answer(0, `${words.map((name) => `${name}=${env[name] ?? ''}`).join(' ')}\n`);
      case 'flaky': {
        const key = argv.join(' ');
        const calls = (this.#calls.get(key) ?? 0) + 1;
        this.#calls.set(key, calls);
        return calls <= Number(path) ? no() : answer(0);
      }
      case 'put':
        host.tree.publish(path, Buffer.from(`${rest.join(' ')}\n`));
        return answer(0);
      case 'show': {
        const node = host.tree.get(path);
        const text = node ? `file ${node.content.toString('base64')}` : 'absent';
        return answer(0, `${text}\n`);
      }
      case 'restore':
        if (rest[0] === 'absent') host.tree.remove(path);
        else host.tree.publish(path, Buffer.from(rest[1] ?? '', 'base64'));
        return answer(0);
      case 'systemctl':
        return systemctl(host, words);
      default:
        throw new UnknownProgram(`The model hosts do not support "${argv.join(' ')}".`);
    }
  }
}

function systemctl(
  { tree, services }: ModelHost,
  [verb = '', name = '']: readonly string[],
): CommandOutput {
  if (verb === 'daemon-reload') return answer(0);
  const service = services.get(name);
  if (!service) return answer(5, '', `Unit ${name} not found.\n`);
  const config = tree.get(`/etc/${name}.conf`)?.content.toString() ?? '';
  const start = { active: true, loaded: config };
  const changes: Record<string, Partial<Service>> = {
    start: service.active ? {} : start,
    stop: { active: false },
    restart: start,
    reload: { loaded: config },
    enable: { enabled: true },
    disable: { enabled: false },
  };
  const change = changes[verb];
  if (!change) throw new UnknownProgram(`The model hosts do not support "systemctl ${verb}".`);
  services.set(name, { ...service, ...change });
  return answer(0);
}

function statusText({ active, enabled }: Service): string {
  const states = { LoadState: 'loaded', ActiveState: active ? 'active' : 'inactive' };
  const lines = { ...states, UnitFileState: enabled ? 'enabled' : 'disabled' };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
