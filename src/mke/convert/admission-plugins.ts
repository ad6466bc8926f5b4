/** Flags of kube-apiserver with a list of admission plugins. */
export const pluginFlags = [
  'enable-admission-plugins',
  'disable-admission-plugins',
  'admission-control',
];

/** Admission plugins that only MKE 3 has, or that Kubernetes no longer has, and why they can go. */
export const mkeOnlyPlugins: Record<string, string> = {
  UCPAuthorization: 'it is the authorization of MKE 3, and MKE 4 uses RBAC',
  UCPAdminServiceAccount: 'it protects the service accounts of MKE 3',
  UCPNodeSelector: 'it keeps pods away from the nodes that MKE 3 reserves for the Swarm',
  CheckImageSigning: 'it is the content trust of MKE 3, which MKE 4 does not have',
  Initializers: 'Kubernetes 1.16 removed it',
  PodSecurityPolicy: 'Kubernetes 1.25 removed it; use Gatekeeper or Pod Security Admission',
};
