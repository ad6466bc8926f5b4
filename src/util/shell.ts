/** The one place where text becomes part of a shell command. */
export function quote(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

export function quoteAll(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}

/** Shell function `mounts_below DIRECTORY`: prints mount points below it, each after a space. What is mounted is not the directory's. */
export const MOUNTS_BELOW = `mounts_below() {
  rw=$(cd "$1" && pwd -P) awk '{
    point = $5
    gsub(/\\\\040/, " ", point); gsub(/\\\\011/, "\\t", point); gsub(/\\\\012/, "\\n", point); gsub(/\\\\134/, "\\\\", point)
    if (index(point, ENVIRON["rw"] "/") == 1) printf " %s", point
  }' /proc/self/mountinfo
}`;
