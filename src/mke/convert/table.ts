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

/** All sections, in the order of the report. */
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

/** Every documented MKE 3 setting and its conversion. */
export const rows: readonly Row[] = [...sections.flatMap(rowsOf), ...unsupported];

const byKey = new Map(rows.map((row) => [row.key, row]));

/** The row of a setting; undefined if the setting is not documented. */
export function rowOf(key: string): Row | undefined {
  return byKey.get(key);
}

/** Whether a setting has a default value. */
export function isDefault(key: string, value: JsonValue): boolean {
  return isDefaultOf(rowOf(key) ?? {}, value);
}
