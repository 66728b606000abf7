import { X509Certificate } from 'node:crypto';
import { parseBoundedJson } from '../parse/bounded-json.ts';
import type { Layer } from './artefact-manifest.ts';
import type { Artefact, Origin } from './artefact.ts';
import { decodeBase64 } from './base64.ts';
import { BUNDLE_MEDIA_TYPE, readBundle } from './bundle.ts';
import { preAuthenticationEncoding, readEnvelope } from './dsse.ts';
import type { Envelope } from './dsse.ts';

/** What is looked for: the signatures of an image, or attestations about it. */
export type ArtefactKind = 'signature' | 'attestation';

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const ENVELOPE = 'application/vnd.dsse.envelope.v1+json';

const SIGNATURE_KEY = 'dev.cosignproject.cosign/signature';
const CERTIFICATE_KEY = 'dev.sigstore.cosign/certificate';
const CHAIN_KEY = 'dev.sigstore.cosign/chain';
const REKOR_BUNDLE_KEY = 'dev.sigstore.cosign/bundle';

const PEM_BEGIN = '-----BEGIN CERTIFICATE-----';
const PEM_END = '-----END CERTIFICATE-----';
/** Enough for a leaf and what leads up to a root. */
const MAX_CERTIFICATES = 5;

/** Whether a layer may hold what is looked for. A bundle says within which of the two it is. */
export function isOfKind({ mediaType }: Layer, kind: ArtefactKind): boolean {
  if (mediaType.startsWith(BUNDLE_MEDIA_TYPE)) return true;
  return mediaType === (kind === 'signature' ? SIMPLE_SIGNING : ENVELOPE);
}

export function isBundleLayer({ mediaType }: Layer): boolean {
  return mediaType.startsWith(BUNDLE_MEDIA_TYPE);
}

/** What a layer holds; undefined when it is not what its type says. */
export function readLayer(layer: Layer, bytes: Uint8Array, origin: Origin): Artefact | undefined {
  if (layer.mediaType === SIMPLE_SIGNING) return readSimpleSigning(layer, bytes, origin);
  const json = parseBoundedJson(bytes);
  if (isBundleLayer(layer)) {
    const read = readBundle(json);
    const bundle = { bundle: json, rekorBundle: undefined };
    return read && { ...fromEnvelope(read.envelope), ...origin, ...read, ...bundle };
  }
  const envelope = readEnvelope(json);
  return envelope && { ...fromEnvelope(envelope), ...origin, ...fromAnnotations(layer) };
}

function readSimpleSigning(
  layer: Layer,
  payload: Uint8Array,
  origin: Origin,
): Artefact | undefined {
  const signature = decodeBase64(annotationOf(layer, SIGNATURE_KEY));
  if (signature === undefined || signature.length === 0) return undefined;
  return {
    ...origin,
    payloadType: undefined,
    payload,
    signed: payload,
    signatures: [signature],
    ...fromAnnotations(layer),
  };
}

function fromEnvelope(
  envelope: Envelope,
): Pick<Artefact, 'payloadType' | 'payload' | 'signed' | 'signatures'> {
  const { payloadType, payload, signatures } = envelope;
  return { payloadType, payload, signed: preAuthenticationEncoding(envelope), signatures };
}

function fromAnnotations(layer: Layer): Pick<Artefact, 'certificates' | 'bundle' | 'rekorBundle'> {
  const rekorBundle = annotationOf(layer, REKOR_BUNDLE_KEY) || undefined;
  return { certificates: certificatesOf(layer), bundle: undefined, rekorBundle };
}

/** Leaf first; what cannot be read is left out, and then leads nowhere. */
function certificatesOf(layer: Layer): readonly Uint8Array[] {
  const pem = `${annotationOf(layer, CERTIFICATE_KEY)}\n${annotationOf(layer, CHAIN_KEY)}`;
  return pem
    .split(PEM_END, MAX_CERTIFICATES)
    .flatMap((part) => derOf(`${part.slice(part.lastIndexOf(PEM_BEGIN))}${PEM_END}`));
}

function derOf(pem: string): Uint8Array[] {
  try {
    return [new X509Certificate(pem).raw];
  } catch {
    return [];
  }
}

function annotationOf({ annotations = {} }: Layer, key: string): string {
  return Object.hasOwn(annotations, key) ? (annotations[key] ?? '') : '';
}
