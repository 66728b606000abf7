/** kube-apiserver passes on no annotation whose key lacks this. */
export const SENT_INFIX = '.image-policy.k8s.io/';

/** Whether a pod's annotation of this key reaches the service. */
export function isSent(key: string): boolean {
  return key.includes(SENT_INFIX);
}
