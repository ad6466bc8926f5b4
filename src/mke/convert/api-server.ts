import { parse as parseYaml } from 'yaml';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { mkeOnlyPlugins, pluginFlags } from './admission-plugins.ts';
import type { Draft } from './draft.ts';
import type { Section } from './row.ts';
import { goDuration } from './values.ts';

const C = 'cluster_config';
const ARGS = 'apiServer.extraArgs';
const CUSTOM_FLAGS = `${C}.custom_kube_api_server_flags`;
const ALWAYS_PULL = `${C}.k8s_always_pull_images_ac_enabled`;
const CUSTOM_POLICY = `${C}.kube_api_server_enable_custom_audit_policy`;
const AUDITING = `${C}.kube_api_server_auditing`;
const POLICY = `${C}.kube_api_server_custom_audit_policy_yaml`;

export const apiServer: Section = [
  { key: `${C}.shared_sans`, type: 'list', to: 'apiServer.sans' },
  {
    key: `${C}.kube_api_server_request_timeout`,
    type: 'text',
    to: 'apiServer.requestTimeout',
    as: goDuration,
  },
  {
    key: `${C}.k8s_event_rate_limit.event_rate_limit_ac_enabled`,
    type: 'boolean',
    to: 'apiServer.eventRateLimit.enabled',
  },
  { key: AUDITING, type: 'boolean', to: 'apiServer.audit.enabled' },
  {
    key: `${C}.kube_api_server_audit_log_maxage`,
    type: 'number',
    to: 'apiServer.audit.maxAge',
  },
  {
    key: `${C}.kube_api_server_audit_log_maxbackup`,
    type: 'number',
    to: 'apiServer.audit.maxBackup',
  },
  {
    key: `${C}.kube_api_server_audit_log_maxsize`,
    type: 'number',
    to: 'apiServer.audit.maxSize',
  },
  {
    rows: [
      { key: POLICY, type: 'text', elsewhere: 'the audit policy of k0s' },
      { key: CUSTOM_POLICY, type: 'boolean', elsewhere: 'the audit policy of k0s' },
    ],
    convert: convertAuditPolicy,
  },
  { key: CUSTOM_FLAGS, type: 'flags', to: ARGS },
  {
    key: `${C}.cipher_suites_for_kube_api_server`,
    type: 'text',
    flag: { of: ARGS, name: 'tls-cipher-suites' },
  },
  { rows: [], convert: leavePluginsOut },
  {
    rows: [
      { key: ALWAYS_PULL, type: 'boolean', flag: { of: ARGS, name: 'enable-admission-plugins' } },
    ],
    convert: addAlwaysPullImages,
  },
  {
    key: `${C}.kube_api_server_profiling_enabled`,
    type: 'boolean',
    flag: { of: ARGS, name: 'profiling' },
    as: (on) => (on ? 'true' : undefined),
  },
];

/** Converts the custom MKE 3 audit policy of kube-apiserver. */
function convertAuditPolicy(draft: Draft): void {
  const text = draft.from.text(POLICY);
  const custom = draft.from.flag(CUSTOM_POLICY);
  if (custom && text === undefined)
    draft.report(CUSTOM_POLICY, custom, {
      why: 'the configuration has no audit policy',
      what: `set ${POLICY} in MKE 3`,
    });
  if (text === undefined) return;
  const needs = custom ? AUDITING : CUSTOM_POLICY;
  if (!draft.from.flag(needs)) {
    draft.report(POLICY, '(policy)', {
      why: `it has no effect because ${needs} is off in MKE 3`,
      what: 'no action needed unless you turn auditing on in MKE 4',
    });
    return;
  }
  const policy = readPolicy(text);
  if (policy === undefined) {
    draft.report(POLICY, '(policy)', {
      why: 'it is not an audit policy with rules',
      what: 'correct it in MKE 3',
    });
    return;
  }
  draft.k0sOnly.auditPolicy = policy;
  draft.report(
    POLICY,
    '(policy)',
    draft.target === '4.1'
      ? {
          why: 'k0s uses it, but MKE 4 reads another file on the managers',
          what: 'copy it to /var/lib/k0s/mke4_audit_policy.yaml before you apply the configuration',
        }
      : {
          why: 'k0s uses it, but MKE 4.0 has its own policy',
          what: 'set apiServer.audit.policyFile after you update to 4.1.3 or later',
        },
  );
}

/** The audit policy in the API version that kube-apiserver expects; undefined if it is not valid or has no rules. */
function readPolicy(text: string): JsonObject | undefined {
  try {
    const policy = parseYaml(text, { maxAliasCount: 0 }) as JsonValue;
    if (!isJsonObject(policy) || !Array.isArray(policy['rules']) || policy['rules'].length === 0)
      return undefined;
    return { ...policy, apiVersion: 'audit.k8s.io/v1', kind: 'Policy' };
  } catch {
    return undefined;
  }
}

/** Removes admission plugins that exist only in MKE 3 from the custom flags. */
function leavePluginsOut(draft: Draft): void {
  const args = draft.at(ARGS);
  for (const flag of pluginFlags) {
    const text = args[flag];
    if (typeof text !== 'string') continue;
    const kept = text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => {
        const why = mkeOnlyPlugins[name];
        if (why !== undefined)
          draft.report(CUSTOM_FLAGS, name, { why, what: 'no action needed: runner leaves it out' });
        return why === undefined && name !== '' && !draft.leftOut(CUSTOM_FLAGS, name);
      });
    for (const name of kept) draft.origins[`${ARGS}.${flag}.${name}`] = CUSTOM_FLAGS;
    if (kept.length > 0) args[flag] = kept.join(',');
    else Reflect.deleteProperty(args, flag);
  }
}

/** Adds the plugin to the custom list, or to NodeRestriction, the list that k0s has by default. */
function addAlwaysPullImages(draft: Draft): void {
  const [name, flag] = ['AlwaysPullImages', 'enable-admission-plugins'];
  if (!draft.from.flag(ALWAYS_PULL) || draft.leftOut(ALWAYS_PULL, name)) return;
  const args = draft.at(ARGS);
  const custom = args[flag];
  const plugins = typeof custom === 'string' ? custom.split(',') : ['NodeRestriction'];
  if (plugins.includes(name)) return;
  args[flag] = [...plugins, name].join(',');
  draft.origins[`${ARGS}.${flag}.${name}`] = ALWAYS_PULL;
}
