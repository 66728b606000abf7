/** The rules file to start from: the registries of an ordinary cluster, everything else denied. */
export function renderFirstRules(): string {
  return `# Which images may run. What no rule covers is denied.
#
# Before you switch the plugin on: list what your cluster runs already. Add-ons (a CNI, an ingress
# controller) often come from quay.io, ghcr.io or elsewhere; without their registry here their next
# pod is refused. A change is seen by kube-apiserver only after allowTTL and denyTTL (50 seconds).
apiVersion: image-checker/v1
kind: ImagePolicy
metadata:
  name: trusted-registries
spec:
  unmatchedImages: deny
  rules:
    - name: trusted-registries
      require:
        # Exact hosts. \`*.example.com\` stands for every host below example.com.
        registries:
          - docker.io
          - registry.k8s.io
          - k8s.gcr.io # where registry.k8s.io's images came from before 2023
        # The registry must be written out: \`docker.io/nginx\` may pass, \`nginx\` is denied.
        explicitRegistry: true
      except:
        # The control plane's own images, so that a shorter list cannot stop the cluster.
        - namespaces: [kube-system]
          images: ['registry.k8s.io/**', 'k8s.gcr.io/**']
      message: not trusted image!
`;
}
