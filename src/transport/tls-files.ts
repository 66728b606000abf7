import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { ImageCheckerError, messageOf, settleAll } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { readPlainFile } from '../files/read-plain-file.ts';

/** Absolute paths of the PEM files of the service. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly clientCA: string;
}

/** PEM texts that belong together, checked. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  readonly clientCA: string;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
  /** Of the client CA that lasts longest. */
  readonly clientCAValidTo: number;
}

const HINT = '`image-checker setup --if-missing` makes what is missing';
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads certificate, key and client CA, and checks that they can serve now.
 *
 * @param now milliseconds since 1970
 * @throws {ImageCheckerError} `config-invalid` with everything that is wrong with the three
 */
export async function loadTlsMaterial(files: TlsFiles, now: number): Promise<TlsMaterial> {
  const reading = readCertificates(files.certificate);
  const readingKey = readPrivateKey(files.key);
  const [chain, key, clientCA] = await settleAll('config-invalid', [
    reading,
    readingKey,
    readCertificates(files.clientCA).then((read) => checkClientCA(read, files.clientCA, now)),
    reading.then(({ leaf }) => {
      checkValidity(leaf, files.certificate, now);
    }),
    Promise.all([reading, readingKey]).then(([{ leaf }, { key }]) => {
      checkPair(leaf, key, files);
    }),
  ]);
  const material = {
    certificate: chain.text,
    key: key.text,
    clientCA: clientCA.text,
    validFrom: Date.parse(chain.leaf.validFrom),
    validTo: Date.parse(chain.leaf.validTo),
    clientCAValidTo: Math.max(...clientCA.certificates.map(({ validTo }) => Date.parse(validTo))),
  };
  checkContext(material, files);
  return material;
}

interface CertificateFile {
  readonly text: string;
  /** The first certificate: that of the service, where it is a chain. */
  readonly leaf: X509Certificate;
  readonly certificates: readonly X509Certificate[];
}

async function readCertificates(file: string): Promise<CertificateFile> {
  const { text } = await readPlainFile(file, HINT);
  const [first, ...rest] = text.match(PEM_CERTIFICATE) ?? [];
  if (first === undefined) {
    throw refuse({ file, message: 'expected a PEM certificate, found none', hint: HINT });
  }
  try {
    const leaf = new X509Certificate(first);
    const others = rest.map((block) => new X509Certificate(block));
    return { text, leaf, certificates: [leaf, ...others] };
  } catch (thrown) {
    throw refuse({ file, message: `not a certificate: ${messageOf(thrown)}`, hint: HINT });
  }
}

interface KeyFile {
  readonly text: string;
  readonly key: KeyObject;
}

/** Others may not read it, and none but the owner may write it; a group may read (key group). */
const FORBIDDEN_KEY_MODE = 0o027;

async function readPrivateKey(file: string): Promise<KeyFile> {
  const { text, mode } = await readPlainFile(file, HINT);
  if ((mode & FORBIDDEN_KEY_MODE) !== 0) {
    const got = (mode & 0o777).toString(8).padStart(4, '0');
    const message = `expected a private key with mode 0600, got ${got}`;
    throw refuse({ file, message, hint: `run: chmod 600 ${file}` });
  }
  try {
    return { text, key: createPrivateKey(text) };
  } catch {
    // The library's message says nothing about the file and might quote from it.
    throw refuse({ file, message: 'expected a PEM private key without a passphrase', hint: HINT });
  }
}

function refuse(problem: Problem): ImageCheckerError {
  return new ImageCheckerError('config-invalid', problem);
}

function checkValidity(leaf: X509Certificate, file: string, now: number): void {
  const problem = validityProblem(leaf, file, now);
  if (problem !== undefined) throw refuse(problem);
}

/** What is wrong with the validity of a certificate at a time, if anything is. */
function validityProblem(
  certificate: X509Certificate,
  file: string,
  now: number,
): Problem | undefined {
  const hint = 'make a new one, and check the clock of this machine';
  if (now > Date.parse(certificate.validTo)) {
    return { file, message: `the certificate expired on ${certificate.validTo}`, hint };
  }
  if (now < Date.parse(certificate.validFrom)) {
    return { file, message: `the certificate is not valid before ${certificate.validFrom}`, hint };
  }
  return undefined;
}

/** In a bundle a CA may have run out, as long as one is left to verify clients with. */
function checkClientCA(read: CertificateFile, file: string, now: number): CertificateFile {
  const noCA = read.certificates.find((certificate) => !certificate.ca);
  if (noCA !== undefined) {
    const message = `expected CA certificates, got ${noCA.subject.replaceAll('\n', ', ')}, which is none`;
    throw refuse({ file, message, hint: 'name the CA that signed the client certificates' });
  }
  const findings = read.certificates.map((certificate) => validityProblem(certificate, file, now));
  const [first] = findings;
  if (first !== undefined && findings.every((finding) => finding !== undefined))
    throw refuse(first);
  return read;
}

function checkPair(leaf: X509Certificate, key: KeyObject, files: TlsFiles): void {
  if (leaf.checkPrivateKey(key)) return;
  const message = `the private key does not belong to the certificate ${files.certificate}`;
  throw refuse({ file: files.key, message, hint: 'name the two files of one pair' });
}

/** What only the TLS library itself can say: a key too small, a digest too old. */
function checkContext(material: TlsMaterial, files: TlsFiles): void {
  try {
    createSecureContext({ cert: material.certificate, key: material.key, ca: material.clientCA });
  } catch (thrown) {
    const message = `cannot be used for TLS: ${messageOf(thrown)}`;
    throw refuse({ file: files.certificate, message, hint: HINT });
  }
}
