import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Lets the host use busybox for all its applets, except those that log in as another user. */
export function putBusyboxFirst(directory: string): void {
  const applets = execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
  const busybox = execFileSync('/bin/sh', ['-c', 'command -v busybox'], { encoding: 'utf8' });
  for (const applet of applets)
    if (!['su', 'login', 'sulogin', 'passwd', 'busybox'].includes(applet))
      symlinkSync(busybox.trim(), join(directory, applet));
}
