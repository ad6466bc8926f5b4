import type { JsonObject } from '../../core/json.ts';
import type { Target } from '../mke4-defaults.ts';

export interface ConvertHost {
  /** Name in the inventory. */
  name?: string | undefined;
  role: 'manager' | 'worker';
  /** Kubernetes labels of the node; one whose value is a kubelet profile's name has chosen it. */
  labels?: Record<string, string> | undefined;
  address: string;
  /** By which the other nodes reach it; absent where only the file for MKE 4 is made. */
  nodeAddress?: string | undefined;
  port: number;
  user: string;
  keyPath: string;
}

export interface ConvertOptions {
  hosts: ConvertHost[];
  externalAddress: string;
  target?: Target | undefined;
  /** What `GET /enzi/v0/config/auth/ldap` of MKE 3 gives. */
  ldap?: JsonObject | undefined;
  /** Password of the LDAP reader, which MKE 3 never shows. */
  ldapPassword?: string | undefined;
  /** Registries of a cluster without access to the internet; only for 4.1. */
  registries?: { image?: string | undefined; chart?: string | undefined } | undefined;
  airgapped?: boolean | undefined;
  /** Flags and admission plugins that are not taken over, by name. */
  leaveOut?: readonly string[] | undefined;
}

/** Why a setting is not in the result, and what the operator can do about it. */
export interface Advice {
  why: string;
  what: string;
}

/** A setting that is not in the result. */
export interface Unconverted extends Advice {
  key: string;
  value: string;
}

export interface Conversion {
  config: JsonObject;
  unconverted: Unconverted[];
  /** Settings with which the cluster cannot be upgraded at all. */
  refusals: Unconverted[];
  /** Address pools that have to be made again after the installation. */
  metallbPools: { name: string; addresses: string[] }[];
  /** Whether pods of users may be scheduled on managers. */
  managersTakePods: boolean;
  /** Settings in the file that take effect when MKE 4 applies it: k0s does not have them. */
  later: { key: string; feature: string }[];
  /** Settings that k0s has and the file of MKE 4.0 does not. */
  k0sOnly: { calicoMtu: number; auditPolicy?: JsonObject };
  /** Names of the kubelet profiles in MKE 3, by those in MKE 4. */
  profileNames: Record<string, string>;
  /** Flags of the kubelet profiles that became fields, by profile. */
  profileFlags: Record<string, Record<string, string>>;
  /** TOML key of a setting that can come from several, by its path in "spec". */
  origins: Record<string, string>;
}
