import { generateKeyPairSync, randomBytes } from 'node:crypto';
import forge from 'node-forge';
import { issueLeaf, makeAuthority } from '../../src/setup/pki.ts';
import type { Credential, KeyPair, PkiPorts } from '../../src/setup/pki.ts';

export const DAY_MS = 24 * 60 * 60 * 1000;

/** GeneralName types of RFC 5280 (4.2.1.6). */
export const SAN = { email: 1, dns: 2, uri: 6, ip: 7 } as const;

export interface AltName {
  readonly type: number;
  readonly value?: string;
  readonly ip?: string;
}

/** A certificate as no honest `setup` would make it; what is left out is as in an honest one. */
export interface OddLeaf {
  readonly commonNames?: readonly string[];
  readonly altNames?: readonly AltName[];
  readonly from?: Date;
  readonly until?: Date;
  readonly usage?: 'clientAuth' | 'serverAuth';
}

/** What one installation has, and what somebody else has. */
export interface TestPki {
  readonly authority: Credential;
  readonly otherAuthority: Credential;
  readonly server: Credential;
  /** CN `api-server`, by `authority`. */
  readonly client: Credential;
}

const HOSTS = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
] as const;

export async function newTestPki(): Promise<TestPki> {
  const authority = await makeAuthority(ports);
  return {
    authority,
    otherAuthority: await makeAuthority(ports),
    server: await issueLeaf(authority, { kind: 'server', hosts: HOSTS }, ports),
    client: await issueLeaf(authority, { kind: 'client', name: 'api-server' }, ports),
  };
}

/** A leaf certificate from an authority, with whatever is asked for in it. */
export function issueOdd(authority: Credential, odd: OddLeaf): Credential {
  const issuer = forge.pki.certificateFromPem(authority.certificate);
  return makeOdd(odd, { attributes: issuer.subject.attributes, key: authority.key });
}

export function selfSigned(odd: OddLeaf): Credential {
  return makeOdd(odd, { attributes: commonNames(odd), key: leafKeys().privateKey });
}

export function newKeyPair(): KeyPair {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

export const ports: PkiPorts = {
  now: () => new Date(),
  randomBytes: (size) => randomBytes(size),
  generateKeyPair: () => Promise.resolve(newKeyPair()),
};

let oddKeys: KeyPair | undefined;

/** One key for all odd certificates: it is their text that is odd. */
function leafKeys(): KeyPair {
  return (oddKeys ??= newKeyPair());
}

interface Signer {
  readonly attributes: forge.pki.CertificateField[];
  readonly key: string;
}

function makeOdd(odd: OddLeaf, signer: Signer): Credential {
  const { publicKey, privateKey } = leafKeys();
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `40${randomBytes(15).toString('hex')}`;
  certificate.validity = {
    notBefore: odd.from ?? new Date(Date.now() - DAY_MS),
    notAfter: odd.until ?? new Date(Date.now() + DAY_MS),
  };
  certificate.setSubject(commonNames(odd));
  certificate.setIssuer(signer.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true },
    { name: 'extKeyUsage', [odd.usage ?? 'clientAuth']: true },
    ...(odd.altNames === undefined ? [] : [{ name: 'subjectAltName', altNames: odd.altNames }]),
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(signer.key), forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate), key: privateKey };
}

function commonNames({
  commonNames: names = ['api-server'],
}: OddLeaf): forge.pki.CertificateField[] {
  return names.map((value) => {
    // The declarations of forge want an ASN.1 class where its code takes a type.
    const field: object = { name: 'commonName', value, valueTagClass: forge.asn1.Type.UTF8 };
    return field;
  });
}
