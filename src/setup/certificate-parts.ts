import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  bits,
  contentOf,
  decode,
  encode,
  integer,
  isTagged,
  objectId,
  octets,
  partsOf,
  sequence,
  setOf,
  taggedBytes,
  utf8,
  yes,
} from './der.ts';
import type { DerNode } from './der.ts';

/** RFC 5280: attributes (4.1.2.4), extensions (4.2.1), purposes (4.2.1.12). */
const OID = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** Key usages as bits (4.2.1.3), and how many bits of the byte do not count. */
const KEY_USAGE = {
  /** keyCertSign, cRLSign */
  authority: [0x06, 1],
  /** digitalSignature */
  signature: [0x80, 7],
  /** digitalSignature and, for the RSA key exchange of old TLS 1.2 clients, keyEncipherment */
  signatureAndEncipherment: [0xa0, 5],
} as const;

/** GeneralName types (4.2.1.6). */
const GENERAL_NAME = { dns: 2, ip: 7 } as const;

export interface SubjectHost {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

export function commonName(value: string): DerNode {
  return sequence([setOf(sequence([objectId(OID.commonName), utf8(value)]))]);
}

/** A CA whose leaves are no CAs. */
export function authorityConstraints(): DerNode {
  return extension(OID.basicConstraints, sequence([yes(), integer(Buffer.of(0))]), true);
}

export function leafConstraints(): DerNode {
  return extension(OID.basicConstraints, sequence([]), true);
}

export function keyUsage(usage: keyof typeof KEY_USAGE): DerNode {
  const [byte, unused] = KEY_USAGE[usage];
  return extension(OID.keyUsage, bits(Buffer.of(byte), unused), true);
}

export function purpose(kind: 'serverAuth' | 'clientAuth'): DerNode {
  return extension(OID.extKeyUsage, sequence([objectId(OID[kind])]));
}

export function subjectAltNames(hosts: readonly SubjectHost[]): DerNode {
  return extension(OID.subjectAltName, sequence(hosts.map(generalName)));
}

/** @param id of the key, @param issuerId of the key that signs */
export function keyIdentifiers(id: Uint8Array, issuerId: Uint8Array): readonly DerNode[] {
  return [
    extension(OID.subjectKeyIdentifier, octets(id)),
    extension(OID.authorityKeyIdentifier, sequence([taggedBytes(0, issuerId)])),
  ];
}

/** Of a public key, DER: SHA-1 of its bits, method 1 of RFC 5280 (4.2.1.2). */
export function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  const [, key] = partsOf(decode(publicKey));
  if (key === undefined) throw new Error('expected a public key, got something else');
  return createHash('sha1').update(contentOf(key).subarray(1)).digest(); // behind the count of unused bits
}

/** What a certificate says of its subject, as it stands there. */
export interface SubjectParts {
  readonly subject: DerNode;
  /** The extension, where there is one. */
  readonly altNames: readonly DerNode[];
  /** Of its key as it says itself, which is what verifiers compare. */
  readonly keyId: Uint8Array;
}

export function subjectParts(certificate: X509Certificate): SubjectParts {
  const [body] = partsOf(decode(certificate.raw));
  const fields = partsOf(body);
  const unversioned = fields.filter((node) => !isTagged(node, 0));
  const subject = unversioned[4]; // behind serial number, algorithm, issuer, validity
  if (subject === undefined) throw new Error('expected a certificate, got something else');
  const extensions = partsOf(partsOf(fields.find((node) => isTagged(node, 3)))[0]);
  const altNames = extensions.filter((node) => isExtension(node, OID.subjectAltName));
  return { subject, altNames, keyId: keyIdOf(extensions) ?? keyIdOfKey(certificate) };
}

function keyIdOf(extensions: readonly DerNode[]): Uint8Array | undefined {
  const found = extensions.find((node) => isExtension(node, OID.subjectKeyIdentifier));
  const value = partsOf(found).at(-1);
  return value === undefined ? undefined : contentOf(decode(contentOf(value)));
}

function keyIdOfKey(certificate: X509Certificate): Uint8Array {
  return keyIdentifier(certificate.publicKey.export({ type: 'spki', format: 'der' }));
}

function extension(id: string, value: DerNode, critical = false): DerNode {
  return sequence([objectId(id), ...(critical ? [yes()] : []), octets(encode(value))]);
}

function isExtension(node: DerNode, id: string): boolean {
  const [first] = partsOf(node);
  return first !== undefined && encode(first).equals(encode(objectId(id)));
}

function generalName({ type, value }: SubjectHost): DerNode {
  return taggedBytes(GENERAL_NAME[type], type === 'ip' ? addressBytes(value) : Buffer.from(value));
}

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // Normalised, so that at most one run of zeros is left out, and no IPv4 stands at the end.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => parseInt(group, 16));
  const first = groups(head);
  const last = groups(tail ?? '');
  const zeros = Array<number>(8 - first.length - last.length).fill(0);
  const bytes = Buffer.alloc(16);
  [...first, ...zeros, ...last].forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  return bytes;
}
