import type { X509Certificate } from 'node:crypto';
import { X509Certificate as ParsedCertificate } from '@sigstore/core';

type Asn1 = ParsedCertificate['root'];

/** What Node's class does not tell of a certificate. */
export interface CertificateParts {
  /** How many authorities may stand between this one and the leaf; undefined: any number. */
  readonly pathLength: number | undefined;
  /** Of the key usages; undefined when the certificate names none. */
  readonly usage: { readonly digitalSignature: boolean; readonly keyCertSign: boolean } | undefined;
  /** Subject alternative names: mail addresses, URIs, DNS names, and names of Fulcio's own kind. */
  readonly names: readonly string[];
  /** Of the OpenID Connect provider, in certificates of Fulcio. */
  readonly issuer: string | undefined;
  /** Why a certificate in which all else is right must not be relied on. */
  readonly mistake: string | undefined;
}

const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const NAME_CONSTRAINTS = '2.5.29.30';
const EXTENDED_KEY_USAGE = '2.5.29.37';
/** Those that may be critical, since what they say is checked. */
const KNOWN = [KEY_USAGE, SUBJECT_ALT_NAME, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE];
/** The issuer as a DER UTF8String, and as the bare text of older certificates. */
const FULCIO_ISSUER = '1.3.6.1.4.1.57264.1.8';
const FULCIO_ISSUER_V1 = '1.3.6.1.4.1.57264.1.1';
/** Of an `otherName` that holds a user name (Fulcio, docs/oid-info.md). */
const FULCIO_NAME = '1.3.6.1.4.1.57264.1.7';

/** GeneralName types of RFC 5280 (4.2.1.6). */
const OTHER_NAME = 0;
const TEXT_NAMES = [1, 2, 6]; // rfc822Name, dNSName, uniformResourceIdentifier

/** Undefined when the certificate cannot be read. */
export function partsOf(certificate: X509Certificate): CertificateParts | undefined {
  try {
    return readParts(ParsedCertificate.parse(Buffer.from(certificate.raw)));
  } catch {
    return undefined;
  }
}

function readParts(certificate: ParsedCertificate): CertificateParts {
  const pathLength = certificate.extBasicConstraints?.pathLenConstraint;
  const usage = certificate.extKeyUsage;
  return {
    pathLength: pathLength === undefined ? undefined : Number(pathLength),
    usage: usage && {
      digitalSignature: usage.digitalSignature,
      keyCertSign: usage.keyCertSign,
    },
    names: namesOf(certificate.extension(SUBJECT_ALT_NAME)?.valueObj.subs[0]),
    issuer: issuerOf(certificate),
    mistake: mistakeOf(certificate),
  };
}

/** None when the two ways to write it do not say the same. */
function issuerOf(certificate: ParsedCertificate): string | undefined {
  const issuer = certificate.extension(FULCIO_ISSUER)?.valueObj.subs[0]?.value;
  const older = certificate.extension(FULCIO_ISSUER_V1)?.value;
  const present = [issuer, older].filter((bytes) => bytes !== undefined);
  const issuers = present.flatMap(printable);
  const agree = issuers.length === present.length && new Set(issuers).size === 1;
  return agree ? issuers[0] : undefined;
}

function mistakeOf(certificate: ParsedCertificate): string | undefined {
  const oids = certificate.extensions.map(oidOf);
  if (new Set(oids).size < oids.length) return 'has an extension twice';
  // What they forbid is not known here, so nothing below them is taken.
  if (oids.includes(NAME_CONSTRAINTS)) return 'has name constraints, which are not supported';
  const unknown = oids.find(
    (oid) => certificate.extension(oid)?.critical === true && !KNOWN.includes(oid),
  );
  if (unknown !== undefined) return `has a critical extension that is not known (${unknown})`;
  const algorithm = algorithmOf(certificate.root);
  return STRONG_ALGORITHMS.includes(algorithm)
    ? undefined
    : `is signed with an algorithm that is not accepted (${algorithm})`;
}

function oidOf(extension: Asn1): string {
  return extension.subs[0]?.toOID() ?? '';
}

/** RSA PKCS #1 v1.5 and ECDSA with SHA-256, SHA-384 or SHA-512, and Ed25519. */
const STRONG_ALGORITHMS = [
  ...['1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13'],
  ...['1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4'],
  '1.3.101.112',
];

/** Of `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }` */
function algorithmOf(certificate: Asn1): string {
  return certificate.subs[1]?.subs[0]?.toOID() ?? '';
}

function namesOf(generalNames: Asn1 | undefined): readonly string[] {
  return (generalNames?.subs ?? []).flatMap((name) => {
    if (!name.tag.isContextSpecific()) return [];
    if (TEXT_NAMES.includes(name.tag.number)) return printable(name.value);
    return name.tag.number === OTHER_NAME ? fulcioName(name) : [];
  });
}

/** `OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }` */
function fulcioName({ subs: [type, value] }: Asn1): readonly string[] {
  const text = value?.subs[0]?.value;
  return type?.toOID() === FULCIO_NAME && text !== undefined ? printable(text) : [];
}

/** A name with anything but printable ASCII is compared with nothing: it could pass for another. */
function printable(bytes: Uint8Array): readonly string[] {
  const isPrintable = bytes.every((byte) => byte >= 0x20 && byte <= 0x7e);
  return isPrintable ? [Buffer.from(bytes).toString('latin1')] : [];
}
