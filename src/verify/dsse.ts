import { z } from 'zod';
import { base64 } from './base64.ts';
import { boundedArray } from './bounded-array.ts';

/*
 * DSSE, the envelope around an in-toto statement: https://github.com/secure-systems-lab/dsse
 *
 *   signed bytes = "DSSEv1" SP length(payloadType) SP payloadType SP length(payload) SP payload
 */

export interface Envelope {
  readonly payloadType: string;
  /** Says nothing until a signature was verified. */
  readonly payload: Uint8Array;
  readonly signatures: readonly Uint8Array[];
}

/** Each costs one verification for every key. */
const MAX_SIGNATURES = 8;

const envelopeSchema = z.object({
  payloadType: z.string().max(256),
  payload: base64,
  signatures: boundedArray(z.object({ sig: base64 }), MAX_SIGNATURES),
});

/** The envelope that JSON holds; undefined when it holds none. */
export function readEnvelope(value: unknown): Envelope | undefined {
  const { data } = envelopeSchema.safeParse(value);
  return data && { ...data, signatures: data.signatures.map(({ sig }) => sig) };
}

/** The bytes that a signature of an envelope is over ("PAE"). */
export function preAuthenticationEncoding({
  payloadType,
  payload,
}: Pick<Envelope, 'payloadType' | 'payload'>): Uint8Array {
  const typeLength = Buffer.byteLength(payloadType);
  const head = `DSSEv1 ${typeLength} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}
