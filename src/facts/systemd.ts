import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quote } from '../util/shell.ts';

export interface UnitStatus {
  exists: boolean;
  active: boolean;
  enabled: boolean;
  masked: boolean;
}

/** State of a systemd unit, from `systemctl show`. */
export const unitStatus: Fact<[name: string], UnitStatus> = {
  name: 'systemd.unit',
  command: (name) => ({
    script: `systemctl show --no-page -p LoadState,ActiveState,UnitFileState -- ${quote(name)}`,
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
      const said = output.stderr.trim() || `code ${String(output.code)}`;
      throw new TaskError(`Cannot ask systemd about "${name}": ${said}`);
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
