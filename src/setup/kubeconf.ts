import { isIPv6 } from 'node:net';
import { posix } from 'node:path';
import { TARGETS } from './layout.ts';
import { yamlText } from './yaml-text.ts';

export interface KubeconfValues {
  /** The admission folder as kube-apiserver sees it. */
  readonly mounted: string;
  readonly host: string;
  readonly port: number;
}

export function serviceUrl(host: string, port: number): string {
  return `https://${isIPv6(host) ? `[${host}]` : host}:${port}/check-image`;
}

/** The kubeconfig that tells the ImagePolicyWebhook plugin whom to ask, and as whom. */
export function renderKubeconf({ mounted, host, port }: KubeconfValues): string {
  const inMount = (name: string): string => yamlText(posix.join(mounted, name));
  return `# How kube-apiserver's ImagePolicyWebhook plugin reaches image-checker: an ordinary kubeconfig.
# Every path is one that kube-apiserver sees inside its container.
apiVersion: v1
kind: Config

# The cluster is the service that is asked.
clusters:
  - name: image-checker
    cluster:
      # The CA that the service's certificate is verified with.
      certificate-authority: ${inMount(TARGETS.externalCa.name)}
      # https alone, and a host that the service's certificate names. The apiserver rarely resolves
      # cluster DNS names (*.svc): use an address, or a name in the node's /etc/hosts.
      server: ${yamlText(serviceUrl(host, port))}

# The user is the apiserver: image-checker answers nobody without a certificate.
users:
  - name: api-server
    user:
      client-certificate: ${inMount(TARGETS.clientCertificate.name)}
      client-key: ${inMount(TARGETS.clientKey.name)}

contexts:
  - name: image-checker
    context:
      cluster: image-checker
      user: api-server
current-context: image-checker
`;
}
