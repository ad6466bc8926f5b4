/** A place in a file the operator wrote. Lines and columns count from one. */
export interface SourceRef {
  file: string;
  line: number;
  column: number;
}

export function formatSource(at: SourceRef): string {
  return `${at.file}:${String(at.line)}:${String(at.column)}`;
}
