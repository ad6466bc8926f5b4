import type { Draft } from './draft.ts';
import { convertLdap } from './ldap.ts';
import { waitingFor, type Row, type Section } from './row.ts';
import { take } from './take.ts';

const PROVIDER = 'auth.external_identity_provider';
const SAML = 'auth.saml';
const WELL_KNOWN = '/.well-known/openid-configuration';

const noSuchField = {
  why: 'MKE 4 has no such setting',
  what: 'check the logins after the upgrade',
};
const noProxy = {
  why: 'MKE 4 does not use a proxy for the identity provider',
  what: 'make sure that the managers reach it directly',
};
const spHost: Row = {
  key: `${SAML}.spHost`,
  type: 'text',
  needs: 'auth.samlEnabled',
  advice: {
    why: 'MKE 4 is a different service provider with its own address',
    what: 'register MKE 4 at the identity provider',
  },
};
const skipVerify: Row = {
  key: `${SAML}.tlsSkipVerify`,
  needs: 'auth.samlEnabled',
  type: 'boolean',
  advice: {
    why: 'MKE 4 verifies certificates',
    what: 'put the CA certificate into authentication.saml.caData',
  },
};

export const authentication: Section = waitingFor('logins by OIDC, SAML or LDAP', [
  {
    rows: [
      { key: `${PROVIDER}.clientId`, type: 'text', to: 'authentication.oidc.clientID' },
      { key: `${PROVIDER}.wellKnownConfigUrl`, type: 'text', to: 'authentication.oidc.issuer' },
      { key: `${PROVIDER}.issuer`, type: 'text', to: 'authentication.oidc.issuer' },
      { key: `${PROVIDER}.clientSecret`, type: 'text', to: 'authentication.oidc.clientSecret' },
    ],
    convert: convertOidc,
  },
  ...['httpProxy', 'httpsProxy'].map((name): Row => {
    return { key: `${PROVIDER}.${name}`, type: 'text', advice: noProxy };
  }),
  {
    key: `${PROVIDER}.caBundle`,
    type: 'text',
    advice: {
      why: 'MKE 4 has no setting for the CA of the identity provider',
      what: 'use a publicly trusted certificate at the identity provider, or logins fail',
    },
  },
  {
    key: `${PROVIDER}.userServiceId`,
    type: 'text',
    advice: { why: 'it is an internal identifier of MKE 3', what: 'no action needed' },
  },
  // An empty value means "sub".
  { key: `${PROVIDER}.usernameClaim`, type: 'text', defaults: ['', 'sub'], advice: noSuchField },
  {
    rows: [
      { key: 'auth.samlEnabled', type: 'boolean', to: 'authentication.saml.enabled' },
      {
        key: `${SAML}.idpMetadataURL`,
        type: 'text',
        needs: 'auth.samlEnabled',
        to: 'authentication.saml.ssoMetadataURL',
      },
      {
        key: `${SAML}.rootCerts`,
        type: 'text',
        needs: 'auth.samlEnabled',
        to: 'authentication.saml.caData',
      },
      spHost,
      skipVerify,
    ],
    convert: convertSaml,
  },
  {
    rows: [{ key: 'auth.backend', type: 'text', defaults: ['managed'], to: 'authentication.ldap' }],
    convert: convertBackend,
  },
  {
    key: 'auth.sessions.lifetime_minutes',
    type: 'number',
    defaults: [60],
    advice: {
      why: 'the MKE 4 field is not documented',
      what: 'see authentication.expiry.idTokens',
    },
  },
]);

function convertOidc(draft: Draft): void {
  const { from } = draft;
  const clientId = from.text(`${PROVIDER}.clientId`);
  const wellKnown = from.text(`${PROVIDER}.wellKnownConfigUrl`);
  const issuer =
    from.text(`${PROVIDER}.issuer`) ??
    (wellKnown?.endsWith(WELL_KNOWN) === true ? wellKnown.slice(0, -WELL_KNOWN.length) : wellKnown);
  if (clientId === undefined || issuer === undefined) {
    reportIncomplete(draft, clientId);
    return;
  }
  const discovery = issuer.replace(/\/$/, '') + WELL_KNOWN;
  if (wellKnown !== undefined && wellKnown !== discovery)
    draft.report(`${PROVIDER}.wellKnownConfigUrl`, wellKnown, {
      why: `MKE 4 reads ${discovery} instead`,
      what: 'check that the identity provider answers there',
    });
  const secret = from.text(`${PROVIDER}.clientSecret`);
  draft.set('authentication.oidc', {
    enabled: true,
    issuer,
    clientID: clientId,
    clientSecret: secret ?? '',
  });
  if (secret === undefined)
    draft.report(`${PROVIDER}.clientSecret`, '(absent)', {
      why: 'MKE 3 does not show the secret',
      what: 'put it into authentication.oidc.clientSecret before applying the configuration',
    });
}

/** MKE 3 ignores a provider without client ID or issuer, so MKE 4 does not get it either. */
function reportIncomplete(draft: Draft, clientId: string | undefined): void {
  const missing = clientId === undefined ? 'clientId' : 'issuer and wellKnownConfigUrl';
  for (const name of ['clientId', 'issuer', 'wellKnownConfigUrl', 'clientSecret']) {
    const value = draft.from.text(`${PROVIDER}.${name}`);
    if (value !== undefined)
      draft.report(`${PROVIDER}.${name}`, value, {
        why: `OIDC does not work without ${missing}`,
        what: `set ${missing} in MKE 3, or complete authentication.oidc by hand`,
      });
  }
}

function convertSaml(draft: Draft): void {
  const { from } = draft;
  if (!from.flag('auth.samlEnabled')) return;
  const url = from.text(`${SAML}.idpMetadataURL`);
  const roots = from.text(`${SAML}.rootCerts`);
  draft.set('authentication.saml', {
    enabled: true,
    ...(url === undefined ? {} : { ssoMetadataURL: url }),
    ...(roots === undefined ? {} : { caData: roots }),
  });
  if (url === undefined)
    draft.report('auth.samlEnabled', true, {
      why: 'auth.saml.idpMetadataURL is not set, so the configuration does not name the identity provider',
      what: 'set authentication.saml.ssoMetadataURL before you apply the configuration',
    });
  take(draft, spHost);
  take(draft, skipVerify);
}

/** The TOML shows only that LDAP is on. Its settings come from another API path. */
function convertBackend(draft: Draft): void {
  const { ldap, ldapPassword } = draft.options;
  if (ldap !== undefined) {
    const converted = convertLdap(ldap, ldapPassword);
    draft.set('authentication.ldap', converted.ldap);
    draft.unconverted.push(...converted.unconverted);
    draft.from.get('auth.backend');
  } else if (draft.from.text('auth.backend') === 'ldap') {
    draft.report('auth.backend', 'ldap', {
      why: 'the TOML does not contain the LDAP settings',
      what: 'use --mke3-ldap, or complete authentication.ldap by hand',
    });
  }
}
