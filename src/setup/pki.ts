import forge from 'node-forge';

/** A private key and its public key, PEM (PKCS#8 and SPKI). */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** A certificate and its private key, PEM. */
export interface Credential {
  readonly certificate: string;
  readonly key: string;
}

export type LeafRequest =
  | { readonly kind: 'server'; readonly hosts: readonly SubjectHost[] }
  | { readonly kind: 'client'; readonly name: string };

export interface SubjectHost {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

export interface PkiPorts {
  readonly now: () => Date;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly generateKeyPair: (bits: number) => Promise<KeyPair>;
}

/** The CA outlives many leaves, so its key is the longer one: 128 bits of security. */
const AUTHORITY_KEY_BITS = 3072;
const LEAF_KEY_BITS = 2048;
const AUTHORITY_YEARS = 10;
const LEAF_YEARS = 1;

/** A certificate is valid from a little before it was made: clocks of two machines differ. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** The most that RFC 5280 (4.1.2.2) allows. */
const SERIAL_BYTES = 20;

/** GeneralName types of RFC 5280 (4.2.1.6). */
const GENERAL_NAME = { dns: 2, ip: 7 } as const;

const SERVER_NAME = 'image-checker';
const AUTHORITY_NAME = 'image-checker CA';

/** A new CA: self-signed, and good for signing leaf certificates alone. */
export async function makeAuthority(ports: PkiPorts): Promise<Credential> {
  const keys = await ports.generateKeyPair(AUTHORITY_KEY_BITS);
  const certificate = newCertificate(keys, commonName(AUTHORITY_NAME), ports);
  certificate.validity = validity(ports.now(), AUTHORITY_YEARS);
  certificate.setIssuer(certificate.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: keyIdentifier(certificate) },
  ]);
  return sign(certificate, keys.privateKey, keys.privateKey);
}

/** A new leaf from a CA that is there already; it does not outlive the CA. */
export async function issueLeaf(
  authority: Credential,
  request: LeafRequest,
  ports: PkiPorts,
): Promise<Credential> {
  const issuer = forge.pki.certificateFromPem(authority.certificate);
  const keys = await ports.generateKeyPair(LEAF_KEY_BITS);
  const name = request.kind === 'server' ? SERVER_NAME : request.name;
  const certificate = newCertificate(keys, commonName(name), ports);
  certificate.validity = within(validity(ports.now(), LEAF_YEARS), issuer.validity);
  certificate.setIssuer(issuer.subject.attributes.map(readAttribute));
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    ...usage(request),
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: keyIdentifier(issuer) },
  ]);
  return sign(certificate, keys.privateKey, authority.key);
}

function newCertificate(
  keys: KeyPair,
  subject: forge.pki.CertificateField[],
  ports: PkiPorts,
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(keys.publicKey);
  certificate.serialNumber = serialNumber(ports.randomBytes(SERIAL_BYTES));
  certificate.setSubject(subject);
  return certificate;
}

function usage(request: LeafRequest): object[] {
  const keyUsage = { name: 'keyUsage', critical: true, digitalSignature: true };
  if (request.kind === 'client') return [keyUsage, { name: 'extKeyUsage', clientAuth: true }];
  return [
    { ...keyUsage, keyEncipherment: true }, // RSA key exchange of old TLS 1.2 clients
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: request.hosts.map(generalName) },
  ];
}

function generalName({ type, value }: SubjectHost): object {
  return { type: GENERAL_NAME[type], ...(type === 'ip' ? { ip: value } : { value }) };
}

/** Positive and of one length: the first bits are 01, the other 158 are random. */
function serialNumber(random: Uint8Array): string {
  const bytes = Buffer.from(random);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/** Whole seconds, which is what a certificate can say. */
function validity(now: Date, years: number): { notBefore: Date; notAfter: Date } {
  const start = new Date(now);
  start.setUTCMilliseconds(0);
  const notAfter = new Date(start);
  notAfter.setUTCFullYear(start.getUTCFullYear() + years);
  return { notBefore: new Date(start.getTime() - CLOCK_SKEW_MS), notAfter };
}

function within(
  wanted: { notBefore: Date; notAfter: Date },
  limits: { notBefore: Date; notAfter: Date },
): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: wanted.notBefore < limits.notBefore ? limits.notBefore : wanted.notBefore,
    notAfter: wanted.notAfter > limits.notAfter ? limits.notAfter : wanted.notAfter,
  };
}

function commonName(value: string): forge.pki.CertificateField[] {
  // Without a type forge writes a PrintableString, whatever the characters. Its declarations want
  // an ASN.1 class where its code takes a type.
  const field: object = { name: 'commonName', value, valueTagClass: forge.asn1.Type.UTF8 };
  return [field];
}

/** forge reads a UTF8String as bytes and encodes it again when it writes. */
function readAttribute(attribute: forge.pki.CertificateField): forge.pki.CertificateField {
  const tag: number | undefined = attribute.valueTagClass;
  if (tag !== forge.asn1.Type.UTF8 || typeof attribute.value !== 'string') return attribute;
  return { ...attribute, value: forge.util.decodeUtf8(attribute.value) };
}

/** The issuer's key id as its own certificate says it, which is what verifiers compare. */
function keyIdentifier(issuer: forge.pki.Certificate): string {
  const extension = issuer.getExtension('subjectKeyIdentifier');
  if (extension && 'subjectKeyIdentifier' in extension) {
    return forge.util.hexToBytes(String(extension.subjectKeyIdentifier));
  }
  return (issuer as unknown as HasKeyIdentifier).generateSubjectKeyIdentifier().getBytes();
}

/** Missing in forge's type declarations. */
interface HasKeyIdentifier {
  generateSubjectKeyIdentifier(): forge.util.ByteStringBuffer;
}

function sign(certificate: forge.pki.Certificate, key: string, signingKey: string): Credential {
  certificate.sign(forge.pki.privateKeyFromPem(signingKey), forge.md.sha256.create());
  return { certificate: toUnixLines(forge.pki.certificateToPem(certificate)), key };
}

function toUnixLines(pem: string): string {
  return pem.replaceAll('\r\n', '\n');
}
