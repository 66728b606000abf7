import type { X509Certificate } from 'node:crypto';
import { isSame, leadsTo, subjectOf } from '../setup/pem.ts';
import { kindOf } from './disk.ts';
import { checkDates } from './certificate-dates.ts';
import { checkFiles } from './file-checks.ts';
import type { Findings } from './finding.ts';
import type { KubeconfView, PemText } from './kubeconf-checks.ts';
import type { DoctorPorts } from './options.ts';
import { parseCertificates, parseKey, readPem } from './pem-file.ts';
import type { CertificateFile, KeyFile } from './pem-file.ts';
import type { ServiceView } from './service-checks.ts';
import { isFor, isNamed, maySign, weakKeyOf, weakSignatureOf } from './x509.ts';
import type { Purpose } from './x509.ts';

/** Certificates and keys of both sides, as far as they can be read. */
export interface Credentials {
  readonly externalCa: CertificateFile | undefined;
  readonly client: CertificateFile | undefined;
  readonly clientKey: KeyFile | undefined;
  readonly server: CertificateFile | undefined;
  readonly clientCa: CertificateFile | undefined;
  /** Of setup's own CA, where it is here. */
  readonly ownCa: CertificateFile | undefined;
}

type PemName = keyof Credentials | 'serverKey' | 'ownCaKey';

export interface Sides {
  readonly kubeconf: KubeconfView | undefined;
  readonly service: ServiceView | undefined;
}

export async function checkCertificates(
  { kubeconf, service }: Sides,
  { now, uid }: DoctorPorts,
  findings: Findings,
): Promise<Credentials> {
  const pems = await readPems({ kubeconf, service }, findings);
  const credentials = {
    externalCa: parseCertificates(pems.externalCa, findings),
    client: parseCertificates(pems.client, findings),
    clientKey: parseKey(pems.clientKey, findings),
    server: parseCertificates(pems.server, findings),
    clientCa: parseCertificates(pems.clientCa, findings),
    ownCa: parseCertificates(pems.ownCa, findings),
  };
  const { externalCa, client, clientKey, server, clientCa, ownCa } = credentials;
  checkLeaf(client, { purpose: 'clientAuth', key: clientKey }, findings);
  checkLeaf(server, { purpose: 'serverAuth', key: parseKey(pems.serverKey, findings) }, findings);
  checkPair(ownCa, parseKey(pems.ownCaKey, findings), findings);
  for (const ca of [externalCa, clientCa, ownCa]) checkAuthority(ca, server, findings);
  checkDates([client, server], [externalCa, clientCa, ownCa], { now: now(), findings });
  checkChain('certificate-server-chain', { leaf: server, bundle: externalCa }, findings);
  checkChain('certificate-client-chain', { leaf: client, bundle: clientCa }, findings);
  if (server !== undefined) checkNames(server, kubeconf, findings);
  checkFiles(pems, uid, findings);
  return credentials;
}

async function readPems(
  { kubeconf, service }: Sides,
  findings: Findings,
): Promise<Record<PemName, PemText | undefined>> {
  const ofService = (file: string | undefined): Promise<PemText | undefined> =>
    file === undefined ? Promise.resolve(undefined) : readPem(file, findings);
  const ifThere = async (file: string | undefined): Promise<PemText | undefined> =>
    file === undefined || (await kindOf(file)) === undefined ? undefined : ofService(file);
  return {
    externalCa: kubeconf?.ca,
    client: kubeconf?.clientCertificate,
    clientKey: kubeconf?.clientKey,
    server: await ofService(service?.certificate),
    serverKey: await ofService(service?.key),
    clientCa: await ofService(service?.clientCa),
    // May be kept elsewhere.
    ownCa: await ifThere(service?.caCertificate),
    ownCaKey: await ifThere(service?.caKey),
  };
}

interface Leaf {
  readonly purpose: Purpose;
  readonly key: KeyFile | undefined;
}

/** What Go and OpenSSL ask of a certificate that somebody shows. */
function checkLeaf(
  leaf: CertificateFile | undefined,
  { purpose, key }: Leaf,
  findings: Findings,
): void {
  if (leaf === undefined) return;
  const { file, certificates } = leaf;
  for (const certificate of certificates) checkStrength(certificate, file, findings);
  if (isFor(certificates[0], purpose)) findings.ok('certificate-usage', `is for ${purpose}`, file);
  else {
    const message = `expected a certificate for ${purpose}, got one for something else`;
    const hint = `have it issued with the extended key usage ${purpose}`;
    findings.fail('certificate-usage', { file, message, hint });
  }
  checkPair(leaf, key, findings);
}

function checkStrength(certificate: X509Certificate, file: string, findings: Findings): void {
  const digest = weakSignatureOf(certificate);
  if (digest === undefined) findings.ok('certificate-signature', 'is signed over SHA-2', file);
  else {
    const message = `expected a signature over SHA-256 or better, got ${digest}`;
    const hint = 'have it issued anew: kube-apiserver refuses it';
    findings.fail('certificate-signature', { file, message, hint });
  }
  const key = weakKeyOf(certificate);
  if (key === undefined) findings.ok('certificate-key-size', 'its key is strong enough', file);
  else {
    const message = `expected RSA with 2048 bits, or P-256, P-384 or P-521, got ${key}`;
    findings.fail('certificate-key-size', {
      file,
      message,
      hint: 'make a new key and certificate',
    });
  }
}

function checkPair(
  leaf: CertificateFile | undefined,
  key: KeyFile | undefined,
  findings: Findings,
): void {
  if (leaf === undefined || key === undefined) return;
  if (leaf.certificates[0].checkPrivateKey(key.key)) {
    findings.ok('certificate-key', `is the key of ${leaf.file}`, key.file);
    return;
  }
  const message = `expected the key of ${leaf.file}, got another`;
  const hint = 'bring back the key, or make both anew with `image-checker certs renew`';
  findings.fail('certificate-key', { file: key.file, message, hint });
}

function checkAuthority(
  ca: CertificateFile | undefined,
  server: CertificateFile | undefined,
  findings: Findings,
): void {
  if (ca === undefined) return;
  const { file, certificates } = ca;
  for (const certificate of certificates) {
    checkStrength(certificate, file, findings);
    // A certificate that is trusted by itself need not be a CA.
    if (server !== undefined && isSame(certificate, server.certificates[0])) continue;
    if (certificate.ca && maySign(certificate)) continue;
    const message = `expected a CA, got ${subjectOf(certificate)}, which may not sign certificates`;
    findings.fail('certificate-ca', { file, message, hint: 'name the certificate of the CA' });
  }
  findings.okUnlessFound('certificate-ca', 'is a CA', file);
}

function checkChain(
  id: 'certificate-server-chain' | 'certificate-client-chain',
  side: {
    readonly leaf: CertificateFile | undefined;
    readonly bundle: CertificateFile | undefined;
  },
  findings: Findings,
): void {
  const { leaf, bundle } = side;
  if (leaf === undefined || bundle === undefined) return;
  const [first, ...between] = leaf.certificates;
  const isTrusted = bundle.certificates.some((one) => isSame(one, first));
  if (isTrusted || leadsTo(first, bundle.certificates, between)) {
    findings.ok(id, `was issued by the CA of ${bundle.file}`, leaf.file);
    return;
  }
  const message = `expected a certificate issued by the CA of ${bundle.file}, got one of another CA`;
  const hint = `put the CA that issued it into ${bundle.file}, or make both sides anew`;
  findings.fail(id, { file: leaf.file, message, hint });
}

function checkNames(
  { file, certificates }: CertificateFile,
  kubeconf: KubeconfView | undefined,
  findings: Findings,
): void {
  const [leaf] = certificates;
  if (leaf.subjectAltName === undefined) {
    const message = 'expected subject alternative names, got none: the common name does not count';
    const hint = 'have it issued with the host of the kubeconf as an alternative name';
    findings.fail('certificate-names', { file, message, hint });
    return;
  }
  findings.ok('certificate-names', leaf.subjectAltName, file);
  if (kubeconf === undefined) return;
  const { server, tlsServerName } = kubeconf.kubeconf;
  const host = tlsServerName ?? server.hostname;
  if (isNamed(leaf, host)) {
    findings.ok('certificate-host', `names ${host}, which the kubeconf asks`, file);
    return;
  }
  const message = `expected a certificate for ${host}, which ${kubeconf.file} asks, got ${leaf.subjectAltName}`;
  const hint = 'have it issued with that name, or ask one of its names';
  findings.fail('certificate-host', { file, message, hint });
}
