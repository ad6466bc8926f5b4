/** A path on a host, or the copy of one that a unit took there before its first action. Only the transport knows where copies are. */
export type HostPath = string | { copyOf: string; unit: number };

export type PathCopy = Exclude<HostPath, string>;

/** For messages. */
export function describePath(path: HostPath): string {
  return typeof path === 'string' ? `"${path}"` : `the copy of "${path.copyOf}"`;
}
