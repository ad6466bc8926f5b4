/** The MKE modules. A test compares this list with the files of the directory. */
export { finding } from './finding.ts';
export { mke3_cluster } from './mke3_cluster.ts';
export { mke3_etcdctl } from './mke3_etcdctl.ts';
export { mke3_keys } from './mke3_keys.ts';
export { mke3_pods } from './mke3_pods.ts';
export { mke3_stock } from './mke3_stock.ts';
export { mke3_workloads } from './mke3_workloads.ts';
export { mke4_config } from './mke4_config.ts';
export { mke_upgrade_summary } from './mke_upgrade_summary.ts';
export { preflight_report } from './preflight_report.ts';
