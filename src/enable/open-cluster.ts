import { readTextFile } from '../files/read-text-file.ts';
import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import type { KubeAddress, KubeConnection } from '../kube/connection.ts';
import { describeConnection } from '../kube/connection.ts';
import { lookAt } from '../kube/health.ts';
import { portOf } from '../kube/request.ts';
import { dryRunPod, listPods } from '../kube/pods.ts';
import { loadPem, readKubeconf } from '../kubeconf/read-kubeconf.ts';
import type { Kubeconf, PemSource } from '../kubeconf/kubeconf.ts';
import { apiServerAddress } from '../manifest/api-server-address.ts';
import type { SwitchOptions } from './options.ts';
import type { Cluster } from './ports.ts';

/**
 * The kube-apiserver of this node's manifest, with the credentials of the kubeconfig. Where the
 * kubeconfig names an address in front of several control-plane nodes, it is asked at its own one:
 * another node's server being ready says nothing about this one.
 *
 * @throws {ImageCheckerError} `file-unreadable`, `kubeconfig-invalid`, `usage`
 */
export async function openCluster(
  { kubeconfig, manifest: file }: SwitchOptions,
  manifest: string,
  signal: AbortSignal,
): Promise<Cluster> {
  const hint = 'name a kubeconfig of a cluster administrator with --kubeconfig';
  const text = await readTextFile(kubeconfig, hint);
  const named = await connectionOf(readKubeconf(text, kubeconfig), kubeconfig);
  const own = apiServerAddress(manifest, file);
  const { connection, warnings } = await choose(named, own, signal);
  return {
    look: (until) => lookAt(connection, until),
    listPods: (until) => listPods(connection, until),
    dryRun: (pod, until) => dryRunPod(connection, pod, until),
    warnings,
  };
}

interface Chosen {
  readonly connection: KubeConnection;
  readonly warnings: readonly Problem[];
}

async function choose(
  named: KubeConnection,
  own: KubeAddress | undefined,
  signal: AbortSignal,
): Promise<Chosen> {
  const isSame = own?.host === named.server.hostname && own.port === portOf(named.server);
  if (own === undefined || isSame) return { connection: named, warnings: [] };
  const direct = { ...named, via: own };
  if ((await lookAt(direct, signal)).state !== 'down') return { connection: direct, warnings: [] };
  if ((await lookAt(named, signal)).state === 'down') return { connection: direct, warnings: [] };
  const message = `kube-apiserver does not answer at ${describeConnection(direct)}, which the manifest names: asking ${named.server.origin} instead`;
  const hint = 'if several control-plane nodes answer there, what is seen may be another one';
  return { connection: named, warnings: [{ message, hint }] };
}

async function connectionOf(kubeconf: Kubeconf, file: string): Promise<KubeConnection> {
  refuseUnsupported(kubeconf, file);
  const [ca, certificate, key] = await Promise.all([
    pem(kubeconf.ca),
    pem(kubeconf.clientCertificate),
    pem(kubeconf.clientKey),
  ]);
  const token = await readToken(kubeconf);
  return {
    server: kubeconf.server,
    ...(kubeconf.tlsServerName !== undefined && { serverName: kubeconf.tlsServerName }),
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { certificate }),
    ...(key !== undefined && { key }),
    ...(token !== undefined && { token }),
  };
}

function pem(source: PemSource | undefined): Promise<string | undefined> {
  return source === undefined ? Promise.resolve(undefined) : loadPem(source);
}

async function readToken({ token, tokenFile }: Kubeconf): Promise<string | undefined> {
  if (token !== undefined || tokenFile === undefined) return token;
  return (await readTextFile(tokenFile, 'the kubeconfig names it')).trim();
}

/** Credentials go to nobody whose certificate is not verified. */
function refuseUnsupported(kubeconf: Kubeconf, file: string): void {
  const messages = [
    ...(kubeconf.server.protocol === 'https:'
      ? []
      : [`expected https, got ${kubeconf.server.href}`]),
    ...(kubeconf.insecureSkipTlsVerify ? ['expected a CA, got insecure-skip-tls-verify'] : []),
    ...(kubeconf.proxyUrl === undefined ? [] : ['expected no proxy-url, got one']),
    ...kubeconf.otherCredentials.map((key) => `expected a certificate or a token, got ${key}`),
  ];
  if (messages.length === 0) return;
  const hint = 'use the admin.conf of kubeadm, or a kubeconfig like it';
  throw new ImageCheckerError(
    'usage',
    messages.map((message) => ({ file, message, hint })),
  );
}
