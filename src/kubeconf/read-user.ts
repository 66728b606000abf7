import { posix } from 'node:path';
import type { KubeconfIssues } from './inspect.ts';
import type { Kubeconf } from './kubeconf.ts';
import { readPem } from './read-pem.ts';
import type { EntryPlace } from './read-pem.ts';
import type { UserEntry } from './schema.ts';

type User = Pick<
  Kubeconf,
  'clientCertificate' | 'clientKey' | 'token' | 'tokenFile' | 'otherCredentials'
>;

const OTHER = ['username', 'exec', 'auth-provider'] as const;

export function readUser(entry: UserEntry, place: EntryPlace, issues: KubeconfIssues): User {
  const clientCertificate = readPem(entry, 'client-certificate', place, issues);
  const clientKey = readPem(entry, 'client-key', place, issues);
  if ((clientCertificate === undefined) !== (clientKey === undefined)) {
    const missing = clientKey === undefined ? 'client-key' : 'client-certificate';
    issues.add('key-pair', {
      path: place.path,
      message: `expected client-certificate and client-key together, got no ${missing}`,
    });
  }
  const tokenFile = entry.tokenFile ?? '';
  return {
    clientCertificate,
    clientKey,
    token: entry.token ?? undefined,
    tokenFile: tokenFile === '' ? undefined : posix.resolve(place.folder, tokenFile),
    otherCredentials: OTHER.filter((key) => (entry[key] ?? undefined) !== undefined),
  };
}
