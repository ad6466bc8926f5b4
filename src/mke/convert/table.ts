import type { JsonValue } from '../../core/json.ts';
import { apiServer } from './api-server.ts';
import { authentication } from './authentication.ts';
import { components } from './components.ts';
import { etcd } from './etcd.ts';
import { flagsToFields } from './flag-fields.ts';
import { hosts } from './hosts.ts';
import { ingress } from './ingress.ts';
import { kubelet } from './kubelet.ts';
import { network } from './network.ts';
import { refusals } from './refusals.ts';
import { isDefaultOf, rowsOf, type Row, type Section } from './row.ts';
import { services } from './services.ts';
import { unsupported } from './unsupported.ts';

/** What is converted, in the order of the report. */
export const sections: readonly Section[] = [
  refusals,
  hosts,
  apiServer,
  components,
  etcd,
  kubelet,
  network,
  [flagsToFields],
  authentication,
  ingress,
  services,
];

/** Every documented setting of MKE 3, and what becomes of it. */
export const rows: readonly Row[] = [...sections.flatMap(rowsOf), ...unsupported];

const byKey = new Map(rows.map((row) => [row.key, row]));

/** The row of a setting; undefined for one that is not documented. */
export function rowOf(key: string): Row | undefined {
  return byKey.get(key);
}

/** Whether nobody chose the value of a setting. */
export function isDefault(key: string, value: JsonValue): boolean {
  return isDefaultOf(rowOf(key) ?? {}, value);
}
