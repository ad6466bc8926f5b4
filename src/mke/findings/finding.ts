/** How much a finding matters. `error`: the upgrade or a workload will fail. `warning`: it may. `info`: worth knowing. */
export type Severity = 'error' | 'warning' | 'info';

/** What a pre-upgrade check found on one object. */
export interface Finding {
  /** The check that made it, such as `docker_socket`: lower case, digits and underscores. */
  id: string;
  severity: Severity;
  /** The upgrade does not begin while this finding is neither gone nor acknowledged. */
  blocking: boolean;
  /** What it was found on, such as `DaemonSet logging/fluent-bit` or `host manager1`. The same in every run. */
  object: string;
  /** What was seen there, in a sentence. */
  evidence: string;
  /** A command that removes the cause or shows more; a sentence where there is none. */
  remedy: string;
}
