import { createPrivateKey, createPublicKey, sign, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SERIAL_BYTES, serialNumber, validity, within } from './certificate-limits.ts';
import type { Validity } from './certificate-limits.ts';
import {
  authorityConstraints,
  commonName,
  keyIdentifier,
  keyIdentifiers,
  keyUsage,
  leafConstraints,
  purpose,
  subjectAltNames,
  subjectParts,
} from './certificate-parts.ts';
import type { SubjectHost } from './certificate-parts.ts';
import { bits, decode, encode, integer, nothing, objectId, sequence } from './der.ts';
import { setOf, tagged, time } from './der.ts';
import type { DerNode } from './der.ts';

export type { SubjectHost } from './certificate-parts.ts';

/** A private key and its public key, PEM (PKCS#8 and SPKI). */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** A certificate and its private key, PEM; behind that of a CA may stand those above it. */
export interface Credential {
  readonly certificate: string;
  readonly key: string;
}

export type LeafRequest =
  | { readonly kind: 'server'; readonly hosts: readonly SubjectHost[] }
  | { readonly kind: 'client'; readonly name: string }
  /** With subject and subject alternative names of this certificate, PEM. */
  | { readonly kind: 'server' | 'client'; readonly like: string };

export type KeyKind =
  | { readonly type: 'rsa'; readonly bits: number }
  | { readonly type: 'ec'; readonly curve: 'P-256' };

export interface PkiPorts {
  readonly now: () => Date;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly generateKeyPair: (kind: KeyKind) => Promise<KeyPair>;
}

/** The CA outlives many leaves, so its key is the longer one: 128 bits of security. */
const AUTHORITY_KEY: KeyKind = { type: 'rsa', bits: 3072 };
const RSA_LEAF_KEY: KeyKind = { type: 'rsa', bits: 2048 };
const EC_LEAF_KEY: KeyKind = { type: 'ec', curve: 'P-256' };
const AUTHORITY_YEARS = 10;
const LEAF_YEARS = 1;

const SERVER_NAME = 'image-checker';
const AUTHORITY_NAME = 'image-checker CA';

/** RFC 2985 (5.4.2): the extensions that a signing request asks for. */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** A new CA: self-signed, and good for signing leaf certificates alone. */
export async function makeAuthority(ports: PkiPorts): Promise<Credential> {
  const keys = await ports.generateKeyPair(AUTHORITY_KEY);
  const publicKey = createPublicKey(keys.publicKey);
  const name = commonName(AUTHORITY_NAME);
  const id = keyIdentifier(toDer(publicKey));
  const extensions = [authorityConstraints(), keyUsage('authority'), ...keyIdentifiers(id, id)];
  const limits = validity(ports.now(), AUTHORITY_YEARS);
  const content = { issuer: name, subject: name, publicKey, extensions, validity: limits };
  return { certificate: signCertificate(content, keys.privateKey, ports), key: keys.privateKey };
}

/** A new leaf from a CA that is there already; it does not outlive the CA. */
export async function issueLeaf(
  authority: Credential,
  request: LeafRequest,
  ports: PkiPorts,
): Promise<Credential> {
  const issuer = new X509Certificate(authority.certificate);
  const keys = await ports.generateKeyPair(leafKeyKind(createPrivateKey(authority.key)));
  const publicKey = createPublicKey(keys.publicKey);
  const { subject: issuerName, keyId: issuerId } = subjectParts(issuer);
  const { subject, extensions } = describe(request, publicKey);
  const content = {
    issuer: issuerName,
    subject,
    publicKey,
    extensions: [...extensions, ...keyIdentifiers(keyIdentifier(toDer(publicKey)), issuerId)],
    validity: within(validity(ports.now(), LEAF_YEARS), issuer),
  };
  return { certificate: signCertificate(content, authority.key, ports), key: keys.privateKey };
}

/** A key of the CA's kind, so that who can verify the one can verify the other. */
function leafKeyKind(authorityKey: KeyObject): KeyKind {
  return authorityKey.asymmetricKeyType === 'ec' ? EC_LEAF_KEY : RSA_LEAF_KEY;
}

/** The key, PEM, of a leaf whose certificate another CA makes. */
export async function makeLeafKey(ports: PkiPorts): Promise<string> {
  return (await ports.generateKeyPair(RSA_LEAF_KEY)).privateKey;
}

/** What another CA is asked to sign: PKCS #10 (RFC 2986), PEM. */
export function requestLeaf(request: LeafRequest, key: string): string {
  const publicKey = createPublicKey(key);
  const { subject, extensions } = describe(request, publicKey);
  const attribute = sequence([objectId(EXTENSION_REQUEST), setOf(sequence(extensions))]);
  const content = [integer(Buffer.of(0)), subject, decode(toDer(publicKey))];
  const whole = sequence([...content, tagged(0, [attribute])]);
  const signing = signingOf(createPrivateKey(key));
  return toPem('CERTIFICATE REQUEST', signNode(whole, signing));
}

interface LeafDescription {
  readonly subject: DerNode;
  readonly extensions: readonly DerNode[];
}

function describe(request: LeafRequest, publicKey: KeyObject): LeafDescription {
  const isServer = request.kind === 'server';
  const encipherment = isServer && publicKey.asymmetricKeyType === 'rsa';
  const { subject, altNames } = namesFor(request);
  return {
    subject,
    extensions: [
      leafConstraints(),
      keyUsage(encipherment ? 'signatureAndEncipherment' : 'signature'),
      purpose(isServer ? 'serverAuth' : 'clientAuth'),
      ...altNames,
    ],
  };
}

function namesFor(request: LeafRequest): { subject: DerNode; altNames: readonly DerNode[] } {
  if ('like' in request) return subjectParts(new X509Certificate(request.like));
  if (request.kind === 'client') return { subject: commonName(request.name), altNames: [] };
  return { subject: commonName(SERVER_NAME), altNames: [subjectAltNames(request.hosts)] };
}

interface CertificateContent extends LeafDescription {
  readonly issuer: DerNode;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
}

/** TBSCertificate of RFC 5280 (4.1), version 3, and its signature; PEM. */
function signCertificate(content: CertificateContent, key: string, ports: PkiPorts): string {
  const { issuer, subject, publicKey, extensions } = content;
  const { notBefore, notAfter } = content.validity;
  const signing = signingOf(createPrivateKey(key));
  const whole = sequence([
    tagged(0, [integer(Buffer.of(2))]),
    integer(serialNumber(ports.randomBytes(SERIAL_BYTES))),
    signing.algorithm,
    issuer,
    sequence([time(notBefore), time(notAfter)]),
    subject,
    decode(toDer(publicKey)),
    tagged(3, [sequence(extensions)]),
  ]);
  return toPem('CERTIFICATE', signNode(whole, signing));
}

interface Signing {
  readonly key: KeyObject;
  readonly digest: 'sha256' | 'sha384';
  readonly algorithm: DerNode;
}

/** sha256WithRSAEncryption (RFC 4055); ecdsa-with-SHA256, ecdsa-with-SHA384 (RFC 5758). */
function signingOf(key: KeyObject): Signing {
  if (key.asymmetricKeyType !== 'ec') {
    const algorithm = sequence([objectId('1.2.840.113549.1.1.11'), nothing()]);
    return { key, digest: 'sha256', algorithm };
  }
  const large = key.asymmetricKeyDetails?.namedCurve === 'secp384r1';
  const digest = large ? 'sha384' : 'sha256';
  const id = large ? '1.2.840.10045.4.3.3' : '1.2.840.10045.4.3.2';
  return { key, digest, algorithm: sequence([objectId(id)]) };
}

function signNode(node: DerNode, { key, digest, algorithm }: Signing): DerNode {
  return sequence([node, algorithm, bits(sign(digest, encode(node), key))]);
}

function toDer(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function toPem(label: string, node: DerNode): string {
  const lines =
    encode(node)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
