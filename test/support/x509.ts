import { createHash, createPublicKey, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { newSigningKey } from './cosign.ts';
import type { Kind, SigningKey } from './cosign.ts';

/*
 * Certificates of any shape, honest or not, in DER (RFC 5280). What signs with RSA or an elliptic
 * curve does so with SHA-256.
 */

export const OID = {
  codeSigning: '1.3.6.1.5.5.7.3.3',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  nameConstraints: '2.5.29.30',
  fulcioIssuer: '1.3.6.1.4.1.57264.1.8',
  fulcioIssuerV1: '1.3.6.1.4.1.57264.1.1',
  fulcioName: '1.3.6.1.4.1.57264.1.7',
  timestamps: '1.3.6.1.4.1.11129.2.4.2',
} as const;

export interface Extension {
  readonly oid: string;
  readonly critical?: boolean;
  readonly value: Uint8Array;
}

/** A subject alternative name: its GeneralName type and text, or the DER of another kind. */
export type Name = readonly [type: 'mail' | 'dns' | 'uri', text: string] | Uint8Array;

/** What is left out is as in an honest certificate of a signer. */
export interface Shape {
  readonly subject: string;
  /** Absent: it signs itself. */
  readonly issuer?: Issued;
  readonly kind?: Kind;
  readonly key?: SigningKey;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  readonly names?: readonly Name[];
  /** Extended key usages; absent: signing code for a signer, none for an authority. */
  readonly usages?: readonly string[];
  /** Bits, the first one first. */
  readonly keyUsage?: string;
  readonly from?: Date;
  readonly until?: Date;
  readonly extensions?: readonly Extension[];
}

export interface Issued {
  readonly subject: string;
  readonly der: Uint8Array;
  readonly pem: string;
  readonly key: SigningKey;
}

const HOUR_MS = 3_600_000;
const TYPES = { mail: 0x81, dns: 0x82, uri: 0x86 } as const;
const SIGNING = '1';
const ISSUING = '000001';

export function issue(shape: Shape): Issued {
  const key = shape.key ?? newSigningKey(shape.kind);
  const signer = shape.issuer?.key ?? key;
  const tbs = tbsOf(shape, key, signer);
  return finish(shape, key, signer, tbs);
}

/** @param makeTimestamps gets the certificate without the extension that holds them */
export function issueWithTimestamps(
  shape: Shape,
  makeTimestamps: (tbs: Uint8Array) => Uint8Array,
): Issued {
  const key = shape.key ?? newSigningKey(shape.kind);
  const signer = shape.issuer?.key ?? key;
  const times = { from: new Date(Date.now() - HOUR_MS), until: new Date(Date.now() + HOUR_MS) };
  const fixed = { ...times, ...shape, serial: randomBytes(16) };
  const value = makeTimestamps(tbsOf(fixed, key, signer));
  const extensions = [...(shape.extensions ?? []), { oid: OID.timestamps, value }];
  return finish(shape, key, signer, tbsOf({ ...fixed, extensions }, key, signer));
}

function finish(shape: Shape, key: SigningKey, signer: SigningKey, tbs: Uint8Array): Issued {
  const hash = signer.kind === 'Ed25519' ? null : 'sha256';
  const signature = bitString(sign(hash, tbs, signer.privateKey));
  const der = sequence(tbs, algorithmOf(signer), signature);
  const base64 = Buffer.from(der)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n');
  const pem = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
  return { subject: shape.subject, der, pem, key };
}

function tbsOf(
  shape: Shape & { readonly serial?: Uint8Array },
  key: SigningKey,
  signer: SigningKey,
): Uint8Array {
  const { subject, issuer, from = new Date(Date.now() - HOUR_MS) } = shape;
  const { until = new Date(Date.now() + HOUR_MS), serial = randomBytes(16) } = shape;
  return sequence(
    der(0xa0, integer(2)),
    der(0x02, Buffer.from([0x40, ...serial])),
    algorithmOf(signer),
    distinguishedName(issuer?.subject ?? subject),
    sequence(time(from), time(until)),
    distinguishedName(subject),
    spkiOf(key.privateKey),
    der(0xa3, sequence(...extensionsOf(shape, key).map(extension))),
  );
}

function extensionsOf(shape: Shape, key: SigningKey): readonly Extension[] {
  const { isAuthority = false, names = [], issuer, extensions = [] } = shape;
  const { usages, keyUsage } = shape;
  return [
    { oid: '2.5.29.19', critical: true, value: basicConstraints(shape) },
    {
      oid: '2.5.29.15',
      critical: true,
      value: bits(keyUsage ?? (isAuthority ? ISSUING : SIGNING)),
    },
    ...list('2.5.29.37', (usages ?? (isAuthority ? [] : [OID.codeSigning])).map(oid)),
    ...list('2.5.29.17', names.map(generalName)),
    { oid: '2.5.29.14', value: der(0x04, keyIdOf(key)) },
    { oid: '2.5.29.35', value: sequence(der(0x80, keyIdOf(issuer?.key ?? key))) },
    ...extensions,
  ];
}

/** Nothing for an empty list. */
function list(id: string, parts: readonly Uint8Array[]): readonly Extension[] {
  return parts.length === 0 ? [] : [{ oid: id, value: sequence(...parts) }];
}

function basicConstraints({ isAuthority = false, pathLength }: Shape): Uint8Array {
  return sequence(
    ...(isAuthority ? [der(0x01, Buffer.of(0xff))] : []),
    ...(pathLength === undefined ? [] : [integer(pathLength)]),
  );
}

function generalName(name: Name): Uint8Array {
  return name instanceof Uint8Array ? name : der(TYPES[name[0]], Buffer.from(name[1], 'latin1'));
}

/** A user name as Fulcio writes it. */
export function fulcioName(text: string): Uint8Array {
  return der(0xa0, oid(OID.fulcioName), der(0xa0, utf8(text)));
}

/** Of P-256: its point is of no form that there is, which shows when the key is asked for. */
export function withBrokenKey(issued: Issued): Issued {
  const der = Buffer.from(issued.der);
  const bitStringOfPoint = Buffer.from([0x03, 0x42, 0x00, 0x04]);
  der[der.indexOf(bitStringOfPoint) + 3] = 0x05;
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  return { ...issued, der, pem };
}

export function utf8(text: string): Uint8Array {
  return der(0x0c, Buffer.from(text));
}

function keyIdOf({ privateKey }: SigningKey): Uint8Array {
  return createHash('sha1').update(spkiOf(privateKey)).digest();
}

export function spkiOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function extension({ oid: id, critical = false, value }: Extension): Uint8Array {
  return sequence(oid(id), ...(critical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value));
}

function algorithmOf({ kind }: SigningKey): Uint8Array {
  if (kind === 'RSA') return sequence(oid('1.2.840.113549.1.1.11'), der(0x05));
  return sequence(oid(kind === 'Ed25519' ? '1.3.101.112' : '1.2.840.10045.4.3.2'));
}

function distinguishedName(commonName: string): Uint8Array {
  return sequence(der(0x31, sequence(oid('2.5.4.3'), utf8(commonName))));
}

function time(date: Date): Uint8Array {
  const text = date
    .toISOString()
    .replaceAll(/[-:T]/g, '')
    .replace(/\.\d+Z$/, 'Z');
  return der(0x18, Buffer.from(text));
}

function bits(text: string): Uint8Array {
  const byte = parseInt(text.padEnd(8, '0'), 2);
  return der(0x03, Buffer.of(8 - text.length, byte));
}

function bitString(bytes: Uint8Array): Uint8Array {
  return der(0x03, Buffer.of(0), bytes);
}

export function integer(value: number): Uint8Array {
  return der(0x02, Buffer.of(value));
}

export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...parts);
}

function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return der(0x06, Buffer.from(arcs));
}

export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  const size = body.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
