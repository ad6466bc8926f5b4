import type { Module } from '../core/module.ts';
import { mke3_cluster } from './mke3_cluster.ts';
import { mke3_etcdctl } from './mke3_etcdctl.ts';
import { mke3_keys } from './mke3_keys.ts';
import { mke3_pods } from './mke3_pods.ts';
import { mke4_config } from './mke4_config.ts';
import { mke3_stock } from './mke3_stock.ts';
import { mke_upgrade_summary } from './mke_upgrade_summary.ts';

/** The modules of this folder, registered beside the general ones. */
export const mkeModules = [
  mke3_cluster,
  mke3_etcdctl,
  mke3_keys,
  mke3_pods,
  mke3_stock,
  mke4_config,
  mke_upgrade_summary,
] as unknown as Module[];
