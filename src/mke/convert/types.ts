import type { JsonObject } from '../../core/json.ts';
import type { Target } from '../mke4-defaults.ts';

export interface ConvertHost {
  /** Name in the inventory. */
  name?: string | undefined;
  role: 'manager' | 'worker';
  /** Kubernetes labels of the node. A label whose value is the name of a kubelet profile selects that profile. */
  labels?: Record<string, string> | undefined;
  address: string;
  /** Address at which other nodes reach it; absent if only the MKE 4 configuration is written. */
  nodeAddress?: string | undefined;
  port: number;
  user: string;
  keyPath: string;
}

export interface ConvertOptions {
  hosts: ConvertHost[];
  externalAddress: string;
  target?: Target | undefined;
  /** The response of MKE 3 to `GET /enzi/v0/config/auth/ldap`. */
  ldap?: JsonObject | undefined;
  /** The LDAP bind password, which MKE 3 never returns. */
  ldapPassword?: string | undefined;
  /** Registries of a cluster without internet access; only for 4.1. */
  registries?: { image?: string | undefined; chart?: string | undefined } | undefined;
  airgapped?: boolean | undefined;
  /** Names of flags and admission plugins to leave out. */
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
  /** Settings that prevent the upgrade. */
  refusals: Unconverted[];
  /** Address pools that the operator must create again after the installation. */
  metallbPools: { name: string; addresses: string[] }[];
  /** Whether user pods can be scheduled on managers. */
  managersTakePods: boolean;
  /** Settings that take effect only when MKE 4 applies the configuration: k0s does not have them. */
  later: { key: string; feature: string }[];
  /** Settings that k0s has but the MKE 4.0 configuration does not. */
  k0sOnly: { calicoMtu: number; auditPolicy?: JsonObject };
  /** Names of the kubelet profiles in MKE 3, by those in MKE 4. */
  profileNames: Record<string, string>;
  /** Kubelet profile flags that were converted to fields, by profile. */
  profileFlags: Record<string, Record<string, string>>;
  /** For paths in "spec" that several TOML keys can set: the key that set it. */
  origins: Record<string, string>;
}
