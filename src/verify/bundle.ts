import { z } from 'zod';
import { base64 } from './base64.ts';
import { boundedArray } from './bounded-array.ts';
import { readEnvelope } from './dsse.ts';
import type { Envelope } from './dsse.ts';

/** As the name of every version of the format begins. */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle';

/** A Sigstore bundle around an envelope (protobuf-specs, sigstore_bundle.proto, as JSON). */
export interface Bundle {
  readonly envelope: Envelope;
  /** What the signer says of itself, in DER, leaf first; empty where it signed with a bare key. */
  readonly certificates: readonly Uint8Array[];
}

const MAX_CERTIFICATES = 10;

const certificate = z.object({ rawBytes: base64 });

/** The hint of a public key is not read: it is not signed, and every key is tried. */
const bundleSchema = z.object({
  mediaType: z.string().startsWith(BUNDLE_MEDIA_TYPE),
  dsseEnvelope: z.unknown(),
  verificationMaterial: z.object({
    certificate: certificate.optional(),
    x509CertificateChain: z
      .object({ certificates: boundedArray(certificate, MAX_CERTIFICATES) })
      .optional(),
  }),
});

/** The bundle that JSON holds; undefined when it holds none, or one without an envelope. */
export function readBundle(value: unknown): Bundle | undefined {
  const { data } = bundleSchema.safeParse(value);
  const envelope = readEnvelope(data?.dsseEnvelope);
  if (data === undefined || envelope === undefined) return undefined;
  const { certificate: leaf, x509CertificateChain: chain } = data.verificationMaterial;
  // One of the two is what the format has: with both, readers would differ about who signed.
  if (leaf !== undefined && chain !== undefined) return undefined;
  const certificates = leaf === undefined ? (chain?.certificates ?? []) : [leaf];
  return { envelope, certificates: certificates.map(({ rawBytes }) => rawBytes) };
}
