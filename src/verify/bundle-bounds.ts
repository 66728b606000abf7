import { z } from 'zod';

/** Per list. A bundle of Sigstore's has one entry, one time stamp and 30 hashes at most. */
const MAX_ENTRIES = 8;
const MAX_TIMESTAMPS = 8;
const MAX_CERTIFICATES = 10;
/** Of a proof: a log of 2^64 entries needs as many. */
const MAX_HASHES = 64;
/** Characters: each line of a checkpoint is a signature that is verified. */
const MAX_CHECKPOINT = 16 * 1024;

const list = (max: number) => z.array(z.unknown()).max(max);

const entry = z.object({
  inclusionProof: z
    .object({
      hashes: list(MAX_HASHES).nullish(),
      checkpoint: z.object({ envelope: z.string().max(MAX_CHECKPOINT).nullish() }).nullish(),
    })
    .nullish(),
});

/** The names that the library reads, and no others. */
const boundedSchema = z.object({
  verificationMaterial: z.object({
    tlogEntries: list(MAX_ENTRIES).pipe(z.array(entry)).nullish(),
    timestampVerificationData: z
      .object({ rfc3161Timestamps: list(MAX_TIMESTAMPS).nullish() })
      .nullish(),
    x509CertificateChain: z.object({ certificates: list(MAX_CERTIFICATES) }).nullish(),
  }),
});

/**
 * Whether the lists of a bundle are short enough for the library, which holds all time stamps of a
 * bundle against each other before it verifies any signature.
 */
export function isBoundedBundle(json: unknown): boolean {
  return boundedSchema.safeParse(json).success;
}
