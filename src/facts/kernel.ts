import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quote } from '../util/shell.ts';

/** Value of a kernel parameter, with single spaces; undefined if the kernel has no such parameter. */
export const kernelParameter: Fact<[name: string], string | undefined> = {
  name: 'kernel.parameter',
  command: (name) => ({
    // Dots and slashes are swapped: net.ipv4.conf.eth0/100.forwarding.
    script: `p=/proc/sys/$(printf %s ${quote(name)} | tr ./ /.); if [ -e "$p" ]; then echo present; cat "$p"; else echo absent; fi`,
  }),
  parse({ code, stdout, stderr }, name) {
    const [word, ...rest] = stdout.split('\n');
    if (code === 0 && word === 'absent') return undefined;
    if (code === 0 && word === 'present') return rest.join(' ').trim().replaceAll(/\s+/g, ' ');
    throw new TaskError(`Cannot read the kernel parameter "${name}": ${stderr.trim()}`);
  },
};

/** Whether a kernel module is loaded or built in. */
export const kernelModule: Fact<[name: string], 'loaded' | 'builtin' | 'absent'> = {
  name: 'kernel.module',
  command: (name) => {
    const word = quote(name.replaceAll('-', '_'));
    return {
      script: `if grep -q "^"${word}" " /proc/modules; then echo loaded; elif tr - _ 2>/dev/null <"/lib/modules/$(uname -r)/modules.builtin" | grep -q "/"${word}"[.]ko"; then echo builtin; else echo absent; fi`,
    };
  },
  parse({ stdout, stderr }, name) {
    const word = stdout.trim();
    if (word === 'loaded' || word === 'builtin' || word === 'absent') return word;
    throw new TaskError(`Cannot read the state of the kernel module "${name}": ${stderr.trim()}`);
  },
};
