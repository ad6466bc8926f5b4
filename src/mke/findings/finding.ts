/** `error`: the upgrade or a workload will fail. `warning`: it can fail. `info`: no failure expected. */
export type Severity = 'error' | 'warning' | 'info';

/** A problem that a pre-upgrade check found on one object. */
export interface Finding {
  /** Name of the check, such as `docker_socket`: lower case, digits and underscores. */
  id: string;
  severity: Severity;
  /** Whether the upgrade is refused until the finding is resolved or acknowledged. */
  blocking: boolean;
  /** The affected object, such as `DaemonSet logging/fluent-bit` or `host manager1`. The same in every run. */
  object: string;
  /** Sentences on what the check found. */
  evidence: string;
  /** A command that resolves the finding or shows details, or a sentence if there is no such command. */
  remedy: string;
}
