import { createHash, sign } from 'node:crypto';
import { preAuthenticationEncoding } from '../../src/verify/dsse.ts';
import { envelopeOf, newSigningKey, signAs } from './cosign.ts';
import type { SigningKey } from './cosign.ts';
import { der, issue, issueWithTimestamps, OID, spkiOf, utf8 } from './x509.ts';
import type { Issued, Shape } from './x509.ts';

/*
 * A Fulcio, a Rekor and a log of certificates of one's own, as far as bundles show them: the same
 * formats (protobuf-specs; RFC 6962; rekor, types/dsse), other keys.
 */

export const ISSUER = 'https://token.actions.example.com';
export const WORKFLOW =
  'https://git.example.com/team/app/.github/workflows/release.yml@refs/heads/main';

const REKOR = 'rekor.example.com';
const HOUR_MS = 3_600_000;

/** What may be odd about a keyless signature; what is left out is as sigstore makes it. */
export interface KeylessSigning {
  readonly repository: string;
  readonly digest: string;
  readonly shape?: Partial<Shape>;
  readonly issuer?: string;
  /** Milliseconds since 1970, by the log. */
  readonly loggedAt?: number;
  /** Changes the finished bundle. */
  readonly change?: (bundle: KeylessBundle) => object;
}

export interface LogEntry {
  readonly logIndex: string;
  readonly logId: { readonly keyId: string };
  readonly kindVersion: { readonly kind: string; readonly version: string };
  readonly integratedTime: string;
  readonly inclusionPromise?: { readonly signedEntryTimestamp: string };
  readonly inclusionProof: {
    readonly logIndex: string;
    readonly treeSize: string;
    readonly rootHash: string;
    readonly hashes: readonly string[];
    readonly checkpoint: { readonly envelope: string };
  };
  readonly canonicalizedBody: string;
}

export interface KeylessBundle {
  readonly mediaType: string;
  readonly verificationMaterial: {
    readonly certificate: { readonly rawBytes: string };
    readonly tlogEntries: readonly LogEntry[];
  };
  readonly dsseEnvelope: {
    readonly payloadType: string;
    readonly payload: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
}

export interface Sigstore {
  /** The text of the trusted root file. */
  readonly trustedRoot: string;
  bundle(signing: KeylessSigning): object;
  /** By Fulcio, for some minutes unless it is given a shape. */
  certify(signing: Pick<KeylessSigning, 'shape' | 'issuer'>): Issued;
  /** What Rekor promises to log, as cosign 2 keeps it. */
  promise(body: Uint8Array, at?: number): RekorBundle;
}

/** As cosign writes it (cosign, pkg/cosign/bundle/rekor.go). */
export interface RekorBundle {
  readonly SignedEntryTimestamp: string;
  readonly Payload: {
    readonly body: string;
    readonly integratedTime: number;
    readonly logIndex: number;
    readonly logID: string;
  };
}

export function newSigstore(): Sigstore {
  const from = new Date(Date.now() - 24 * HOUR_MS);
  const fulcio = issue({ subject: 'fulcio', isAuthority: true, from });
  const rekor = newSigningKey();
  const certificateLog = newSigningKey();
  return {
    trustedRoot: JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logInstance(rekor)],
      certificateAuthorities: [
        {
          subject: { organization: 'example', commonName: 'fulcio' },
          uri: 'https://fulcio.example.com',
          certChain: { certificates: [{ rawBytes: base64(fulcio.der) }] },
          validFor: { start: new Date(0).toISOString() },
        },
      ],
      ctlogs: [logInstance(certificateLog)],
      timestampAuthorities: [],
    }),
    bundle(signing) {
      const leaf = certify(signing, fulcio, certificateLog);
      const dsseEnvelope = envelopeOf({
        ...signing,
        key: leaf.key,
        style: 2,
      }) as KeylessBundle['dsseEnvelope'];
      const entry = logEntry(dsseEnvelope, leaf, rekor, signing.loggedAt ?? Date.now());
      const certificate = { rawBytes: base64(leaf.der) };
      const bundle: KeylessBundle = {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { certificate, tlogEntries: [entry] },
        dsseEnvelope,
      };
      return signing.change?.(bundle) ?? bundle;
    },
    certify: (signing) => certify(signing, fulcio, certificateLog),
    promise: (body, at = Date.now()) => promise(body, rekor, at),
  };
}

function logInstance(key: SigningKey): object {
  return {
    baseUrl: `https://${REKOR}`,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: base64(spkiOf(key.privateKey)),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: new Date(0).toISOString() },
    },
    logId: { keyId: base64(logIdOf(key)) },
  };
}

function logIdOf({ privateKey }: SigningKey): Buffer {
  return createHash('sha256').update(spkiOf(privateKey)).digest();
}

/** A certificate for some minutes, with the issuer of the token and a promise of the log. */
function certify(
  { shape, issuer = ISSUER }: Pick<KeylessSigning, 'shape' | 'issuer'>,
  fulcio: Issued,
  log: SigningKey,
): Issued {
  return issueWithTimestamps(
    {
      subject: 'signer',
      issuer: fulcio,
      names: [['uri', WORKFLOW]],
      extensions: [
        { oid: OID.fulcioIssuerV1, value: Buffer.from(issuer) },
        { oid: OID.fulcioIssuer, value: utf8(issuer) },
      ],
      ...shape,
    },
    (tbs) => der(0x04, timestampList(tbs, fulcio, log)),
  );
}

/** SignedCertificateTimestampList of RFC 6962 (3.3), with one of them. */
function timestampList(tbs: Uint8Array, fulcio: Issued, log: SigningKey): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(Date.now()));
  const issuerHash = logIdOf(fulcio.key);
  const length = Buffer.from([tbs.length >> 16, (tbs.length >> 8) & 0xff, tbs.length & 0xff]);
  const head = Buffer.concat([Buffer.of(0, 0), time, Buffer.of(0, 1)]);
  const signed = Buffer.concat([head, issuerHash, length, tbs, Buffer.of(0, 0)]);
  const signature = signAs(2, log, signed);
  const timestamp = Buffer.concat([
    ...[Buffer.of(0), logIdOf(log), time, Buffer.of(0, 0), Buffer.of(4, 3)],
    ...[lengthOf(signature), signature],
  ]);
  const list = Buffer.concat([lengthOf(timestamp), timestamp]);
  return Buffer.concat([lengthOf(list), list]);
}

function lengthOf(bytes: Uint8Array): Buffer {
  return Buffer.of(bytes.length >> 8, bytes.length & 0xff);
}

/** The signature of the log over canonical JSON: keys in order, no spaces. */
function promise(bytes: Uint8Array, rekor: SigningKey, at: number): RekorBundle {
  const [body, integratedTime] = [base64(bytes), Math.floor(at / 1000)];
  const Payload = { body, integratedTime, logIndex: 0, logID: logIdOf(rekor).toString('hex') };
  const ordered = { body, integratedTime, logID: Payload.logID, logIndex: 0 };
  const signature = sign('sha256', Buffer.from(JSON.stringify(ordered)), rekor.privateKey);
  return { SignedEntryTimestamp: base64(signature), Payload };
}

/** The one entry of a log, with its promise and its proof. */
function logEntry(
  { payload, signatures }: KeylessBundle['dsseEnvelope'],
  leaf: Issued,
  rekor: SigningKey,
  at: number,
): LogEntry {
  const hash = createHash('sha256').update(Buffer.from(payload, 'base64')).digest('hex');
  const spec = {
    payloadHash: { algorithm: 'sha256', value: hash },
    signatures: [{ signature: signatures[0]?.sig, verifier: base64(Buffer.from(leaf.pem)) }],
  };
  const body = Buffer.from(JSON.stringify({ apiVersion: '0.0.1', kind: 'dsse', spec }));
  const { SignedEntryTimestamp: signedEntryTimestamp, Payload } = promise(body, rekor, at);
  const rootHash = base64(createHash('sha256').update(Buffer.of(0)).update(body).digest());
  return {
    logIndex: '0',
    logId: { keyId: base64(logIdOf(rekor)) },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(Payload.integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      ...{ logIndex: '0', treeSize: '1', rootHash, hashes: [] },
      checkpoint: { envelope: checkpoint(rootHash, rekor) },
    },
    canonicalizedBody: base64(body),
  };
}

/** A signed note (transparency-dev/formats, log/README.md). */
export function checkpoint(rootHash: string, rekor: SigningKey, name: string = REKOR): string {
  const note = `${REKOR} - 1\n1\n${rootHash}\n`;
  const signature = sign('sha256', Buffer.from(note), rekor.privateKey);
  const hinted = Buffer.concat([logIdOf(rekor).subarray(0, 4), signature]);
  return `${note}\n\u2014 ${name} ${base64(hinted)}\n`;
}

/** The signature of an envelope made anew, by another key. */
export function resign(bundle: KeylessBundle, key: SigningKey): KeylessBundle {
  const { payloadType, payload } = bundle.dsseEnvelope;
  const signed = { payloadType, payload: Buffer.from(payload, 'base64') };
  const sig = base64(signAs(2, key, preAuthenticationEncoding(signed)));
  return { ...bundle, dsseEnvelope: { payloadType, payload, signatures: [{ sig }] } };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** Long over: what is signed with it was signed while it was valid, or is not. */
export const EXPIRED: Partial<Shape> = {
  from: new Date(Date.now() - 3 * HOUR_MS),
  until: new Date(Date.now() - 2 * HOUR_MS),
};
export const WHILE_VALID = Date.now() - 2.5 * HOUR_MS;
