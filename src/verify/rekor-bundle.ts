import { createHash, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { parseBoundedJson } from '../parse/bounded-json.ts';
import type { Artefact } from './artefact.ts';
import { base64, decodeBase64 } from './base64.ts';

/*
 * cosign 2 keeps what Rekor promised in an annotation of the layer (cosign, pkg/cosign/bundle/rekor.go):
 *
 *   {"SignedEntryTimestamp": base64,
 *    "Payload": {"body": base64, "integratedTime": seconds, "logIndex": number, "logID": hex}}
 *
 * The time stamp is Rekor's signature over the payload in canonical JSON.
 */

/** In characters. An entry holds a hash, a signature and a certificate. */
const MAX_LENGTH = 64 * 1024;
/** Commas and brackets: there are about ten, and twenty in the body. */
const MAX_PARTS = 100;

const encoded = z.string().refine((text) => decodeBase64(text) !== undefined);
const count = z.number().int().nonnegative();

const rekorBundleSchema = z.object({
  SignedEntryTimestamp: encoded,
  Payload: z.object({
    body: encoded,
    integratedTime: count,
    logIndex: count,
    logID: z.string().regex(/^[0-9a-f]{64}$/),
  }),
});

const version = z.literal('0.0.1');
const sha256 = z.object({ algorithm: z.literal('sha256') });

/** Of simple signing (rekor, pkg/types/hashedrekord). */
const hashedRekordSchema = z
  .object({
    apiVersion: version,
    kind: z.literal('hashedrekord'),
    spec: z.object({
      data: z.object({ hash: sha256 }),
      signature: z.object({ publicKey: z.object({ content: base64 }) }),
    }),
  })
  .transform(({ apiVersion, kind, spec }) => {
    return { kindVersion: { kind, version: apiVersion }, signer: spec.signature.publicKey.content };
  });

/** Of an envelope (rekor, pkg/types/dsse). */
const dsseSchema = z
  .object({
    apiVersion: version,
    kind: z.literal('dsse'),
    spec: z.object({ payloadHash: sha256, signatures: z.tuple([z.object({ verifier: base64 })]) }),
  })
  .transform(({ apiVersion, kind, spec }) => {
    return { kindVersion: { kind, version: apiVersion }, signer: spec.signatures[0].verifier };
  });

type Converted =
  { readonly ok: true; readonly json: object } | { readonly ok: false; readonly reason: string };

/**
 * The bundle that cosign 3 would have written for a signature of cosign 2's, as JSON; or why there is
 * none. Nothing in it is verified but that the log's entry names the certificate: whether the log
 * promised the entry, and whether it is of this signature, is left to whoever verifies the bundle.
 */
export function toBundle(artefact: Artefact): Converted {
  const { rekorBundle, payloadType, certificates } = artefact;
  if (rekorBundle === undefined) return none('in no transparency log');
  const promise = rekorBundleSchema.safeParse(parseText(rekorBundle)).data;
  if (promise === undefined) return none('with a log entry that cannot be read');
  const { body, integratedTime, logIndex, logID } = promise.Payload;
  const bodySchema = payloadType === undefined ? hashedRekordSchema : dsseSchema;
  const entry = bodySchema.safeParse(parseText(Buffer.from(body, 'base64').toString())).data;
  if (entry === undefined) return none('with a log entry of another kind');
  const [leaf] = certificates;
  if (leaf === undefined) return none('without a certificate');
  // The library does not look at it.
  if (!isCertificate(entry.signer, leaf)) return none('with a log entry of another certificate');
  const json = {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: toBase64(leaf) }] },
      tlogEntries: [
        {
          logIndex: String(logIndex),
          logId: { keyId: toBase64(Buffer.from(logID, 'hex')) },
          kindVersion: entry.kindVersion,
          integratedTime: String(integratedTime),
          inclusionPromise: { signedEntryTimestamp: promise.SignedEntryTimestamp },
          canonicalizedBody: body,
        },
      ],
    },
    ...contentOf(artefact),
  };
  return { ok: true, json };
}

const none = (reason: string): Converted => ({ ok: false, reason });

function parseText(text: string): unknown {
  return text.length > MAX_LENGTH ? undefined : parseBoundedJson(Buffer.from(text), MAX_PARTS);
}

function isCertificate(pem: Uint8Array, leaf: Uint8Array): boolean {
  try {
    return new X509Certificate(pem).raw.equals(leaf);
  } catch {
    return false;
  }
}

function contentOf({ payloadType, payload, signatures }: Artefact): object {
  const [signature = new Uint8Array()] = signatures;
  if (payloadType === undefined) {
    const digest = createHash('sha256').update(payload).digest('base64');
    const messageDigest = { algorithm: 'SHA2_256', digest };
    return { messageSignature: { messageDigest, signature: toBase64(signature) } };
  }
  const all = signatures.map((each) => ({ sig: toBase64(each), keyid: '' }));
  return { dsseEnvelope: { payloadType, payload: toBase64(payload), signatures: all } };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
