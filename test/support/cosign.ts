import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import type { TrustedKey } from '../../src/rules/registry-requirement.ts';
import { preAuthenticationEncoding } from '../../src/verify/dsse.ts';
import type { MemoryRegistry } from './memory-registry.ts';

/*
 * Writes what cosign 2 and 3 write, without cosign; that it is the same is shown by the tests
 * against real cosign in test/e2e.
 */

export const KINDS = ['P-256', 'P-384', 'P-521', 'RSA', 'Ed25519'] as const;
export type Kind = (typeof KINDS)[number];

export interface SigningKey {
  readonly kind: Kind;
  readonly privateKey: KeyObject;
  readonly trusted: TrustedKey;
}

export function newSigningKey(kind: Kind = 'P-256', source = 'cosign.pub'): SigningKey {
  const { publicKey, privateKey } = pairOf(kind);
  return { kind, privateKey, trusted: trustedKey(publicKey, source) };
}

function pairOf(kind: Kind): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === 'RSA') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (kind === 'Ed25519') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('ec', { namedCurve: kind });
}

function trustedKey(key: KeyObject, source = 'cosign.pub'): TrustedKey {
  const der = key.export({ type: 'spki', format: 'der' });
  return { source, key, id: createHash('sha256').update(der).digest('hex') };
}

/** How cosign of a major version signs. */
export type Style = 2 | 3;

/** cosign 3 takes the hash that belongs to the curve, and Ed25519 over a hash. */
export function signAs(style: Style, key: SigningKey, bytes: Uint8Array): Uint8Array {
  if (key.kind === 'Ed25519' && style === 3) return signPrehashed(key, bytes);
  if (key.kind === 'Ed25519') return sign(null, bytes, key.privateKey);
  const ofCurve = { 'P-384': 'sha384', 'P-521': 'sha512' }[key.kind as string] ?? 'sha256';
  return sign(style === 3 ? ofCurve : 'sha256', bytes, key.privateKey);
}

function signPrehashed(key: SigningKey, bytes: Uint8Array): Uint8Array {
  const { d = '' } = key.privateKey.export({ format: 'jwk' });
  return ed25519ph.sign(bytes, Buffer.from(d, 'base64url'));
}

/** What may be odd about a signature; what is left out is as cosign makes it. */
export interface Signing {
  readonly key: SigningKey;
  /** `registry/repository` */
  readonly repository: string;
  /** Of the image. */
  readonly digest: string;
  readonly style?: Style;
  readonly annotations?: Readonly<Record<string, unknown>>;
  /** Merged into the payload or statement. */
  readonly payload?: object;
  /** What is pushed in place of what was signed. */
  readonly tamper?: (payload: Uint8Array) => Uint8Array;
  /** PEM. */
  readonly certificate?: string;
  readonly chain?: string;
}

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const ENVELOPE = 'application/vnd.dsse.envelope.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const SIGN = 'https://sigstore.dev/cosign/sign/v1';
const IN_TOTO = 'application/vnd.in-toto+json';

/** A layer of simple signing, its blob pushed to the repository `at`. */
export function simpleSigningLayer(
  registry: MemoryRegistry,
  signing: Signing,
  at = signing.repository,
): object {
  const { key, digest, style = 2, tamper = (bytes) => bytes } = signing;
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': signing.repository },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      },
      optional: signing.annotations ?? null,
      ...signing.payload,
    }),
  );
  const signature = Buffer.from(signAs(style, key, payload)).toString('base64');
  const annotations = {
    'dev.cosignproject.cosign/signature': signature,
    ...(signing.certificate && { 'dev.sigstore.cosign/certificate': signing.certificate }),
    ...(signing.chain && { 'dev.sigstore.cosign/chain': signing.chain }),
  };
  return { mediaType: SIMPLE_SIGNING, ...registry.putBlob(at, tamper(payload)), annotations };
}

/** Puts layers where cosign 2 does, and cosign 3 on request; returns the tag. */
export function pushTagged(
  registry: MemoryRegistry,
  { repository, digest }: Pick<Signing, 'repository' | 'digest'>,
  layers: readonly object[],
  suffix: 'sig' | 'att' = 'sig',
): string {
  const tag = `${digest.replace(':', '-')}.${suffix}`;
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json' };
  registry.putManifest(repository, { schemaVersion: 2, config, layers }, [tag]);
  return tag;
}

/** Signs as cosign 2 does. */
export function signTagged(registry: MemoryRegistry, ...signings: readonly Signing[]): void {
  const [first] = signings;
  if (first === undefined) throw new Error('nothing to sign');
  pushTagged(
    registry,
    first,
    signings.map((signing) => simpleSigningLayer(registry, signing)),
  );
}

export interface Statement {
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** The envelope around a statement about the image. */
export function envelopeOf(
  signing: Signing,
  { predicateType, predicate }: Statement = { predicateType: SIGN, predicate: {} },
): object {
  const { key, digest, annotations, style = 3, tamper = (bytes) => bytes } = signing;
  const [algorithm = '', hex = ''] = digest.split(':');
  const subject = [{ digest: { [algorithm]: hex }, ...(annotations && { annotations }) }];
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject,
      predicateType,
      predicate,
      ...signing.payload,
    }),
  );
  const signed = preAuthenticationEncoding({ payloadType: IN_TOTO, payload });
  const sig = Buffer.from(signAs(style, key, signed)).toString('base64');
  const pushed = Buffer.from(tamper(payload)).toString('base64');
  return { payloadType: IN_TOTO, payload: pushed, signatures: [{ sig }] };
}

/** The bundle around an envelope, with the leaf alone of a certificate, as cosign 3 does. */
export function bundleOf({ key, certificate }: Signing, dsseEnvelope: object): object {
  const der = createPublicKey(key.privateKey).export({ type: 'spki', format: 'der' });
  const hint = createHash('sha256').update(der).digest('base64');
  const rawBytes = certificate?.replaceAll(/-----[A-Z ]+-----|\s/g, '');
  return {
    mediaType: BUNDLE,
    verificationMaterial: rawBytes ? { certificate: { rawBytes } } : { publicKey: { hint } },
    dsseEnvelope,
  };
}

/** What a referrer may claim that is not so. */
export interface Claims {
  readonly subject?: string;
  readonly predicateType?: string;
  /** Where it is pushed, if not to the repository that it was signed for. */
  readonly at?: string;
}

/** Pushes a bundle as cosign 3 does: a manifest that refers to the image. Returns its digest. */
export function pushBundle(
  registry: MemoryRegistry,
  { repository, digest }: Pick<Signing, 'repository' | 'digest'>,
  bundle: object,
  { subject = digest, predicateType = SIGN, at = repository }: Claims = {},
): string {
  const blob = registry.putBlob(at, Buffer.from(JSON.stringify(bundle)));
  return registry.putManifest(at, {
    schemaVersion: 2,
    artifactType: BUNDLE,
    config: { mediaType: 'application/vnd.oci.empty.v1+json' },
    layers: [{ mediaType: BUNDLE, ...blob }],
    subject: { digest: subject, size: 1, mediaType: 'application/vnd.oci.image.manifest.v1+json' },
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateType,
    },
  });
}

/** Signs as cosign 3 does. Returns the digest of the manifest that holds the bundle. */
export function signBundle(registry: MemoryRegistry, signing: Signing, claims?: Claims): string {
  return pushBundle(registry, signing, bundleOf(signing, envelopeOf(signing)), claims);
}

/** The layer of cosign 2 around an attestation. */
export function attestationLayer(
  registry: MemoryRegistry,
  signing: Signing,
  statement: Statement,
): object {
  const envelope = Buffer.from(JSON.stringify(envelopeOf({ style: 2, ...signing }, statement)));
  const annotations = {
    'dev.cosignproject.cosign/signature': '',
    predicateType: statement.predicateType,
    ...(signing.certificate && { 'dev.sigstore.cosign/certificate': signing.certificate }),
    ...(signing.chain && { 'dev.sigstore.cosign/chain': signing.chain }),
  };
  return { mediaType: ENVELOPE, ...registry.putBlob(signing.repository, envelope), annotations };
}
