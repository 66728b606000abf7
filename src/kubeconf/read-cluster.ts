import type { KubeconfIssues } from './inspect.ts';
import type { Kubeconf } from './kubeconf.ts';
import { readPem } from './read-pem.ts';
import type { EntryPlace } from './read-pem.ts';
import type { ClusterEntry } from './schema.ts';

type Cluster = Pick<
  Kubeconf,
  'server' | 'tlsServerName' | 'insecureSkipTlsVerify' | 'proxyUrl' | 'ca'
>;

export function readCluster(
  entry: ClusterEntry,
  place: EntryPlace,
  issues: KubeconfIssues,
): Cluster | undefined {
  const ca = readPem(entry, 'certificate-authority', place, issues);
  const insecureSkipTlsVerify = entry['insecure-skip-tls-verify'] === true;
  if (insecureSkipTlsVerify && ca !== undefined) {
    issues.add('insecure-with-ca', {
      path: [...place.path, 'insecure-skip-tls-verify'],
      message: 'expected a CA or insecure-skip-tls-verify, got both',
      hint: 'take insecure-skip-tls-verify out',
    });
  }
  const server = readServer(entry, place, issues);
  if (server === undefined) return undefined;
  return {
    server,
    tlsServerName: orUndefined(entry['tls-server-name']),
    insecureSkipTlsVerify,
    proxyUrl: orUndefined(entry['proxy-url']),
    ca,
  };
}

function readServer(
  { server }: ClusterEntry,
  { path }: EntryPlace,
  issues: KubeconfIssues,
): URL | undefined {
  const written = server ?? '';
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  const got = written === '' ? 'nothing' : JSON.stringify(written);
  const message = `server: expected https://host:port, got ${got}`;
  issues.add('server', { path: [...path, 'server'], message });
  return undefined;
}

function orUndefined(text: string | null | undefined): string | undefined {
  return (text ?? '') === '' ? undefined : (text ?? undefined);
}
