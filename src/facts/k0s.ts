import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quote } from '../util/shell.ts';

export interface K0sState {
  /** What `k0s version` says, such as "v1.30.9+k0s.0"; undefined where there is no such program. */
  version: string | undefined;
  /** What is installed as a service. */
  role: 'controller' | 'worker' | undefined;
  active: boolean;
  enabled: boolean;
  /** There is data in its folder. */
  hasData: boolean;
}

export const UNITS = '/etc/systemd/system';

/** k0s on a host with systemd. */
export const k0sState: Fact<[program: string, dataDir: string], K0sState> = {
  name: 'k0s.state',
  command: (program, dataDir) => ({
    script: `for rw in controller worker; do
if [ -e ${UNITS}/k0s$rw.service ]; then echo "unit $rw $(systemctl is-active k0s$rw) $(systemctl is-enabled k0s$rw 2>/dev/null)"; fi
done
if [ -n "$(ls -A ${quote(dataDir)} 2>/dev/null)" ]; then echo data; fi
if [ -x ${quote(program)} ]; then rw=$(${quote(program)} version) && echo "version $rw"; fi`,
  }),
  parse({ code, stdout, stderr }, program) {
    if (code !== 0) throw new TaskError(`"${program}" does not say its version: ${stderr.trim()}`);
    const state: K0sState = {
      version: undefined,
      role: undefined,
      active: false,
      enabled: false,
      hasData: false,
    };
    for (const line of stdout.split('\n')) {
      const [word, value = '', activity, enabled] = line.split(' ');
      if (word === 'data') state.hasData = true;
      if (word === 'version') state.version = value;
      if (word !== 'unit') continue;
      state.role = value === 'controller' ? 'controller' : 'worker';
      state.active = activity === 'active';
      state.enabled = enabled === 'enabled';
    }
    return state;
  },
};
