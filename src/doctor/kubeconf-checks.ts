import { posix } from 'node:path';
import { inspectKubeconf } from '../kubeconf/inspect.ts';
import type { Kubeconf, KubeconfIssueId, PemSource } from '../kubeconf/kubeconf.ts';
import { readDisk } from './disk.ts';
import type { CheckId, Findings } from './finding.ts';
import type { HostView } from './host-view.ts';

const ID_OF: Readonly<Record<KubeconfIssueId, CheckId>> = {
  syntax: 'kubeconf-readable',
  kind: 'kubeconf-kind',
  'current-context': 'kubeconf-current-context',
  context: 'kubeconf-context',
  cluster: 'kubeconf-cluster',
  user: 'kubeconf-user',
  server: 'kubeconf-server',
  data: 'kubeconf-data',
  'key-pair': 'kubeconf-client-certificate',
  'insecure-with-ca': 'kubeconf-insecure',
  'unknown-key': 'kubeconf-unknown-key',
};

/** The one path that the service answers at. */
const SERVICE_PATH = '/check-image';

/** PEM text of the kubeconf or of a file that it names. */
export interface PemText {
  readonly text: string;
  /** The file, or the kubeconf with what of it. */
  readonly file: string;
  /** Undefined for text that stands in the kubeconf itself. */
  readonly disk: { readonly mode: number; readonly uid: number } | undefined;
}

/** The kubeconf and what it names, as far as it could be read. */
export interface KubeconfView {
  /** On this machine. */
  readonly file: string;
  readonly text: string;
  readonly kubeconf: Kubeconf;
  readonly ca: PemText | undefined;
  readonly clientCertificate: PemText | undefined;
  readonly clientKey: PemText | undefined;
}

/** @param path as kube-apiserver sees it */
export async function checkKubeconf(
  path: string,
  view: HostView,
  findings: Findings,
): Promise<KubeconfView | undefined> {
  const { host: file } = await view.locate(path);
  const read = await readDisk(file);
  if ('problem' in read) {
    findings.fail('kubeconf-readable', read.problem);
    return undefined;
  }
  const { text } = read;
  const { kubeconf, issues } = inspectKubeconf({ file, text }, posix.dirname(path));
  for (const { id, problem, harmless } of issues) {
    if (harmless) findings.warn(ID_OF[id], problem);
    else findings.fail(ID_OF[id], problem);
  }
  findings.okUnlessFound('kubeconf-readable', 'can be read', file);
  if (kubeconf === undefined) return undefined;
  sayWhatHolds(kubeconf, file, findings);
  checkServer(kubeconf, file, findings);
  checkTrust(kubeconf, file, findings);
  const load = (source: PemSource | undefined, what: string): Promise<PemText | undefined> =>
    loadSource(source, { what, kubeconf: file, view, findings });
  const ca = await load(kubeconf.ca, 'certificate-authority-data');
  const clientCertificate = await load(kubeconf.clientCertificate, 'client-certificate-data');
  const clientKey = await load(kubeconf.clientKey, 'client-key-data');
  findings.okUnlessFound('kubeconf-files', 'every file that it names is there', file);
  return { file, text, kubeconf, ca, clientCertificate, clientKey };
}

function sayWhatHolds({ context }: Kubeconf, file: string, findings: Findings): void {
  findings.okUnlessFound('kubeconf-kind', 'is a kubeconfig', file);
  findings.ok('kubeconf-context', `context ${context}, its cluster and its user are there`, file);
}

function checkServer({ server, proxyUrl }: Kubeconf, file: string, findings: Findings): void {
  if (server.protocol === 'https:') findings.ok('kubeconf-server', `asks ${server.href}`, file);
  else {
    const message = `server: expected https, got ${server.href}`;
    findings.fail('kubeconf-server', { file, message, hint: 'the service answers over TLS alone' });
  }
  if (server.pathname === SERVICE_PATH) findings.ok('kubeconf-path', SERVICE_PATH, file);
  else {
    const message = `server: expected the path ${SERVICE_PATH}, got ${server.pathname}`;
    const hint = `write https://${server.host}${SERVICE_PATH}`;
    findings.fail('kubeconf-path', { file, message, hint });
  }
  if (proxyUrl === undefined) return;
  const message = `proxy-url: every pod waits for ${withoutSecrets(proxyUrl)} too`;
  findings.warn('kubeconf-proxy', { file, message, hint: 'take proxy-url out' });
}

function withoutSecrets(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the proxy';
}

function checkTrust(kubeconf: Kubeconf, file: string, findings: Findings): void {
  const isSlip = findings.has('kubeconf-unknown-key');
  if (kubeconf.insecureSkipTlsVerify && !findings.has('kubeconf-insecure')) {
    const message = 'expected the service to be verified, got insecure-skip-tls-verify: true';
    const hint = 'take it out, and name the CA by certificate-authority';
    findings.fail('kubeconf-insecure', { file, message, hint });
  } else if (kubeconf.ca !== undefined) findings.ok('kubeconf-ca', 'names a CA', file);
  else if (!isSlip && !kubeconf.insecureSkipTlsVerify) {
    const message =
      "expected certificate-authority, got none: the system's own CAs would be trusted";
    const hint = 'name the CA that signed the certificate of the service';
    findings.fail('kubeconf-ca', { file, message, hint });
  }
  if (kubeconf.clientCertificate !== undefined && kubeconf.clientKey !== undefined) {
    findings.ok('kubeconf-client-certificate', 'names a client certificate and its key', file);
  } else if (!isSlip && !findings.has('kubeconf-client-certificate')) {
    const message = 'expected client-certificate and client-key, got none';
    const hint = 'the service answers nobody without a certificate';
    findings.fail('kubeconf-client-certificate', { file, message, hint });
  }
}

interface Loading {
  readonly what: string;
  readonly kubeconf: string;
  readonly view: HostView;
  readonly findings: Findings;
}

async function loadSource(
  source: PemSource | undefined,
  { what, kubeconf, view, findings }: Loading,
): Promise<PemText | undefined> {
  if (source === undefined) return undefined;
  if ('pem' in source) {
    // Empty is what was no base64, which has been told.
    const text = { text: source.pem, file: `${kubeconf} (${what})`, disk: undefined };
    return source.pem === '' ? undefined : text;
  }
  const { host } = await view.locate(source.file);
  const read = await readDisk(host);
  if (!('problem' in read)) {
    return { text: read.text, file: host, disk: { mode: read.mode, uid: read.uid } };
  }
  const hint = `${kubeconf} names ${source.file}; a relative path is relative to its folder`;
  findings.fail('kubeconf-files', { hint, ...read.problem });
  return undefined;
}
