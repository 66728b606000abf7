import { posix } from 'node:path';
import { TARGETS } from './layout.ts';
import { yamlText } from './yaml-text.ts';

/** allowTTL and denyTTL, in seconds. */
export const PLUGIN_CACHE_SECONDS = 50;

/** The file that kube-apiserver's --admission-control-config-file names. */
export function renderAdmissionConfiguration({ mounted }: { readonly mounted: string }): string {
  return `# What kube-apiserver's --admission-control-config-file names. Other plugins' parts go beside ours.
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: ImagePolicyWebhook
    configuration:
      imagePolicy:
        kubeConfigFile: ${yamlText(posix.join(mounted, TARGETS.kubeconf.name))}

        # Seconds for which an answer is used again for the same images, annotations and namespace:
        # a rule change is seen by the apiserver only after them. (1 to 1800; 0 means the apiserver's
        # own default, -1 no caching.)
        allowTTL: ${PLUGIN_CACHE_SECONDS}
        denyTTL: ${PLUGIN_CACHE_SECONDS}

        # Milliseconds before the first of up to four retries; each next wait is longer.
        retryBackoff: 500

        # Important: what happens while image-checker cannot be reached. With \`true\` every image is
        # admitted then. Mind the spelling: the apiserver ignores a key that it does not know.
        defaultAllow: false
`;
}
