import { z } from 'zod';

/**
 * A kubeconfig (client-go's `clientcmd/api/v1`). It is read as client-go reads it: a key that it
 * does not know is passed over, and null stands for an absent one.
 */
const text = z.string().nullish();
const flag = z.boolean().nullish();

const clusterSchema = z.looseObject({
  server: text,
  'tls-server-name': text,
  'insecure-skip-tls-verify': flag,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'proxy-url': text,
});

const userSchema = z.looseObject({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  exec: z.looseObject({}).nullish(),
  'auth-provider': z.looseObject({}).nullish(),
});

const contextSchema = z.looseObject({ cluster: text, user: text, namespace: text });

const name = z.string();

export const kubeconfigSchema = z.looseObject({
  apiVersion: text,
  kind: text,
  'current-context': text,
  clusters: z.array(z.looseObject({ name, cluster: clusterSchema.nullish() })).nullish(),
  users: z.array(z.looseObject({ name, user: userSchema.nullish() })).nullish(),
  contexts: z.array(z.looseObject({ name, context: contextSchema.nullish() })).nullish(),
});

export type KubeconfigDocument = z.output<typeof kubeconfigSchema>;
export type ClusterEntry = z.output<typeof clusterSchema>;
export type UserEntry = z.output<typeof userSchema>;

/** What client-go knows, by the list or mapping that holds it; for finding misspelt keys. */
export const KNOWN_KEYS = {
  root: [
    ...['apiVersion', 'kind', 'preferences', 'clusters', 'users', 'contexts'],
    ...['current-context', 'extensions'],
  ],
  cluster: [
    ...Object.keys(clusterSchema.shape),
    ...['disable-compression', 'extensions', 'api-version'],
  ],
  user: [
    ...Object.keys(userSchema.shape),
    ...['as', 'as-uid', 'as-groups', 'as-user-extra', 'extensions'],
  ],
  context: [...Object.keys(contextSchema.shape), 'extensions'],
} as const;
