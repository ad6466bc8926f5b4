import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import type { JsonObject } from '../core/json.ts';
import { quote } from '../util/shell.ts';

export interface UnitStatus {
  exists: boolean;
  active: boolean;
  enabled: boolean;
  masked: boolean;
}

/** Runtime directory of the user's service manager, which sudo and su do not set. */
export const USER_MANAGER = 'XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}';

/** State of a systemd unit, from `systemctl show`. */
export const unitStatus: Fact<[name: string, ...scope: string[]], UnitStatus> = {
  name: 'systemd.unit',
  command: (name, scope) => ({
    script: `${scope === 'user' ? `${USER_MANAGER} systemctl --user` : 'systemctl'} show --no-page -p LoadState,ActiveState,UnitFileState -- ${quote(name)}`,
  }),
  parse(output, name) {
    const fields = new Map(
      output.stdout.split('\n').map((line) => {
        const [key = '', ...value] = line.split('=');
        return [key, value.join('=')] as const;
      }),
    );
    const load = fields.get('LoadState');
    if (load === undefined) {
      const said = output.stderr.trim() || `exit code ${String(output.code)}`;
      throw new TaskError(`Cannot read the state of unit "${name}" from systemd: ${said}`);
    }
    const unitFile = fields.get('UnitFileState') ?? '';
    return {
      exists: load !== 'not-found',
      active: ['active', 'activating', 'reloading'].includes(fields.get('ActiveState') ?? ''),
      enabled: ['enabled', 'enabled-runtime', 'static', 'alias', 'indirect'].includes(unitFile),
      masked: load === 'masked' || unitFile === 'masked',
    };
  },
};

/** A service in Ansible's format. */
export interface ServiceFact {
  name: string;
  /** running, stopped or failed. */
  state: string;
  /** As systemctl prints it: enabled, disabled, static, masked, not-found, … */
  status: string;
  source: 'systemd';
}

/** All services of systemd, by the names of their units. */
export const serviceList: Fact<[], Record<string, ServiceFact & JsonObject>> = {
  name: 'systemd.services',
  command: () => ({
    script: `systemctl list-unit-files --no-pager --no-legend --type=service && echo :: && systemctl list-units --no-pager --no-legend --plain --all --type=service`,
  }),
  parse({ code, stdout, stderr }) {
    if (code !== 0) throw new TaskError(`Cannot list the services of systemd: ${stderr.trim()}`);
    const [files = '', units = ''] = stdout.split('::\n');
    const services: Record<string, ServiceFact & JsonObject> = {};
    for (const line of files.split('\n')) {
      const [name = '', status = ''] = line.trim().split(/\s+/);
      if (name !== '') services[name] = { name, state: 'stopped', status, source: 'systemd' };
    }
    for (const line of units.split('\n')) {
      const [name = '', load = '', active = '', sub = ''] = line.trim().split(/\s+/);
      if (name === '') continue;
      const state = active === 'failed' ? 'failed' : sub === 'running' ? 'running' : 'stopped';
      const status = services[name]?.status ?? (load === 'not-found' ? 'not-found' : 'static');
      services[name] = { name, state, status, source: 'systemd' };
    }
    return services;
  },
};
