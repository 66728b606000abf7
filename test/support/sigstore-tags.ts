import { createHash } from 'node:crypto';
import { attestationLayer, pushTagged, simpleSigningLayer } from './cosign.ts';
import type { Signing, Statement } from './cosign.ts';
import type { MemoryRegistry } from './memory-registry.ts';
import { base64 } from './sigstore.ts';
import type { KeylessSigning, RekorBundle, Sigstore } from './sigstore.ts';
import type { Issued } from './x509.ts';

/*
 * Keyless signatures and attestations as cosign 2 puts them beside an image: the certificate and what
 * Rekor promised stand in annotations of the layer (rekor, types/hashedrekord and types/dsse).
 */

/** What may be odd about one; what is left out is as cosign makes it. */
export interface TaggedKeyless extends Omit<KeylessSigning, 'change'> {
  /** What is signed beside the usual. */
  readonly signing?: Partial<Signing>;
  /** What the log takes for the entry. */
  readonly body?: (body: LoggedSignature, leaf: Issued) => object;
  /** Changes what the log promised; a text stands as it is, and undefined for no annotation. */
  readonly change?: (bundle: RekorBundle) => object | string | undefined;
  /** Annotations in place of what is usual. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface LoggedSignature {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly data: { readonly hash: { readonly algorithm: string; readonly value: string } };
    readonly signature: {
      readonly content: string;
      readonly publicKey: { readonly content: string };
    };
  };
}

interface WrittenLayer {
  readonly digest: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Pushes one signature. */
export function signKeyless(
  registry: MemoryRegistry,
  sigstore: Sigstore,
  tagged: TaggedKeyless,
): void {
  const { repository, digest } = tagged;
  const leaf = sigstore.certify(tagged);
  const signing = { repository, digest, ...tagged.signing, key: leaf.key, certificate: leaf.pem };
  const layer = simpleSigningLayer(registry, signing, repository) as WrittenLayer;
  const [, value = ''] = layer.digest.split(':');
  const signature = layer.annotations['dev.cosignproject.cosign/signature'] ?? '';
  const body: LoggedSignature = {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value } },
      signature: { content: signature, publicKey: { content: base64(Buffer.from(leaf.pem)) } },
    },
  };
  const logged = tagged.body?.(body, leaf) ?? body;
  pushTagged(registry, tagged, [withPromise(layer, logged, sigstore, tagged)]);
}

/** Pushes one attestation. */
export function attestKeyless(
  registry: MemoryRegistry,
  sigstore: Sigstore,
  tagged: Omit<TaggedKeyless, 'body'>,
  statement: Statement,
): void {
  const { repository, digest } = tagged;
  const leaf = sigstore.certify(tagged);
  const signing = { repository, digest, key: leaf.key, certificate: leaf.pem };
  const layer = attestationLayer(registry, signing, statement) as WrittenLayer;
  const envelope = Buffer.from(registry.blobOf(repository, layer.digest) ?? []).toString();
  const { payload, signatures } = JSON.parse(envelope) as {
    payload: string;
    signatures: { sig: string }[];
  };
  const value = createHash('sha256').update(Buffer.from(payload, 'base64')).digest('hex');
  const verifier = base64(Buffer.from(leaf.pem));
  const spec = {
    payloadHash: { algorithm: 'sha256', value },
    signatures: signatures.map(({ sig }) => ({ signature: sig, verifier })),
  };
  const logged = { apiVersion: '0.0.1', kind: 'dsse', spec };
  pushTagged(registry, signing, [withPromise(layer, logged, sigstore, tagged)], 'att');
}

function withPromise(
  layer: WrittenLayer,
  body: object,
  sigstore: Sigstore,
  { loggedAt, change = (bundle) => bundle, annotations }: Omit<TaggedKeyless, 'body'>,
): object {
  const promised = change(sigstore.promise(Buffer.from(JSON.stringify(body)), loggedAt));
  const text = typeof promised === 'string' ? promised : JSON.stringify(promised);
  return {
    ...layer,
    annotations: {
      ...layer.annotations,
      ...(promised !== undefined && { 'dev.sigstore.cosign/bundle': text }),
      ...annotations,
    },
  };
}
