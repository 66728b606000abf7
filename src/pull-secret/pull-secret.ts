import type { Auths } from './read-auths.ts';

/** Of Kubernetes: what a kubelet pulls with. */
export interface PullSecret {
  readonly apiVersion: 'v1';
  readonly kind: 'Secret';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly type: 'kubernetes.io/dockerconfigjson';
  readonly data: { readonly '.dockerconfigjson': string };
}

/** A Secret that the pods of a service account are to pull with. */
export interface Attachment {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly secret: string;
}

export interface SecretPlan {
  readonly secrets: readonly PullSecret[];
  readonly attachments: readonly Attachment[];
}

export interface SecretTarget {
  readonly name: string;
  readonly namespaces: readonly string[];
  readonly serviceAccount: string;
}

/** The secret, and what makes pods use it, in each namespace; the same input gives the same bytes. */
export function planPullSecret(auths: Auths, target: SecretTarget): SecretPlan {
  const { name, namespaces, serviceAccount } = target;
  const sorted = Object.fromEntries(Object.entries(auths).sort(([a], [b]) => (a < b ? -1 : 1)));
  const content = Buffer.from(JSON.stringify({ auths: sorted })).toString('base64');
  return {
    secrets: namespaces.map((namespace) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': content },
    })),
    attachments: namespaces.map((namespace) => ({ namespace, serviceAccount, secret: name })),
  };
}
