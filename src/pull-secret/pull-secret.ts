import type { Auths } from './read-auths.ts';

/** Of Kubernetes: what a kubelet pulls with. */
export interface PullSecret {
  readonly apiVersion: 'v1';
  readonly kind: 'Secret';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly type: 'kubernetes.io/dockerconfigjson';
  readonly data: { readonly '.dockerconfigjson': string };
}

/** A strategic merge: it adds the secret to those that are there, once. */
export interface ServiceAccountPatch {
  readonly imagePullSecrets: readonly [{ readonly name: string }];
}

export interface SecretPlan {
  readonly secrets: readonly PullSecret[];
  readonly patches: readonly {
    readonly namespace: string;
    readonly serviceAccount: string;
    readonly patch: ServiceAccountPatch;
  }[];
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
    patches: namespaces.map((namespace) => ({
      namespace,
      serviceAccount,
      patch: { imagePullSecrets: [{ name }] },
    })),
  };
}
