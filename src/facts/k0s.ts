import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quote } from '../util/shell.ts';

export interface K0sState {
  /** What `k0s version` says, such as "v1.30.9+k0s.0"; undefined where there is no such program. */
  version: string | undefined;
  /** What is installed as a service. */
  role: 'controller' | 'worker' | undefined;
  /** It runs, or systemd will start it again after a failure. */
  active: boolean;
  enabled: boolean;
  /** Its data directory is not empty. */
  hasData: boolean;
  /** A unit without a file that systemd still lists as failed, or files in its runtime directory. */
  hasTraces: boolean;
}

export const UNITS = '/etc/systemd/system';

/** k0s on a host with systemd. */
export const k0sState: Fact<[program: string, dataDir: string], K0sState> = {
  name: 'k0s.state',
  command: (program, dataDir) => ({
    script: `for rw in controller worker; do
if [ -e ${UNITS}/k0s$rw.service ]; then echo "unit $rw $(systemctl is-active k0s$rw) $(systemctl is-enabled k0s$rw 2>/dev/null)"
elif [ "$(systemctl is-failed k0s$rw 2>/dev/null)" = failed ]; then echo traces; fi
done
if [ -n "$(ls -A ${quote(dataDir)} 2>/dev/null | grep -vxF lost+found)" ]; then echo data; fi
if [ -e /run/k0s ]; then echo traces; fi
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
      hasTraces: false,
    };
    for (const line of stdout.split('\n')) {
      const [word, value = '', activity, enabled] = line.split(' ');
      if (word === 'data') state.hasData = true;
      if (word === 'traces') state.hasTraces = true;
      if (word === 'version') state.version = value;
      if (word !== 'unit') continue;
      state.role = value === 'controller' ? 'controller' : 'worker';
      state.active = activity !== 'inactive' && activity !== 'failed';
      state.enabled = enabled === 'enabled';
    }
    return state;
  },
};
