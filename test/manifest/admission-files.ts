/** What setup writes, see src/setup/admission-configuration.ts. */
export const OURS = {
  kubeConfigFile: '/etc/kubernetes/admission/kubeconf',
  allowTTL: 50,
  denyTTL: 50,
  retryBackoff: 500,
  defaultAllow: false,
};

export const HEAD = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n';

export const POD_SECURITY = `${HEAD}plugins:
- name: PodSecurity # see the wiki
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults:
      enforce: "baseline"
      enforce-version: "latest"
    exemptions:
      usernames: []
      namespaces: [kube-system]
# the last one
- name: EventRateLimit
  path: eventconfig.yaml
`;

export const OURS_AS_BLOCK = `- name: ImagePolicyWebhook
  configuration:
    imagePolicy:
      kubeConfigFile: /etc/kubernetes/admission/kubeconf
      allowTTL: 50
      denyTTL: 50
      retryBackoff: 500
      defaultAllow: false
`;
