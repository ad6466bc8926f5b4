/** Flags of kube-apiserver whose value is a list of admission plugins. */
export const pluginFlags = [
  'enable-admission-plugins',
  'disable-admission-plugins',
  'admission-control',
];

/** Admission plugins that exist only in MKE 3 or that Kubernetes has removed, and why they can be dropped. */
export const mkeOnlyPlugins: Record<string, string> = {
  UCPAuthorization: 'it enforces MKE 3 authorization, and MKE 4 uses RBAC',
  UCPAdminServiceAccount: 'it protects MKE 3 service accounts',
  UCPNodeSelector: 'it keeps pods off the nodes that MKE 3 reserves for Swarm',
  CheckImageSigning: 'it enforces MKE 3 content trust, which MKE 4 does not have',
  Initializers: 'Kubernetes 1.16 removed it',
  PodSecurityPolicy: 'Kubernetes 1.25 removed it; use Gatekeeper or Pod Security Admission',
};
