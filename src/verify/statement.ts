import { z } from 'zod';
import { parseBoundedJson } from '../parse/bounded-json.ts';
import type { Artefact } from './artefact.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** cosign 2, and cosign 3 for attestations, write the first; cosign 3 signs with the second. */
const TYPES = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'] as const;

const texts = z.record(z.string(), z.string());

const statementSchema = z.object({
  _type: z.enum(TYPES),
  subject: z
    .array(z.object({ digest: texts, annotations: z.record(z.string(), z.unknown()).nullish() }))
    .max(1024),
  predicateType: z.string(),
  predicate: z.unknown(),
});

/** An in-toto statement (in-toto/attestation, spec/v1/statement.md). */
export type Statement = z.output<typeof statementSchema>;
export type Subject = Statement['subject'][number];

/**
 * What an envelope says; undefined for anything but a statement. To be asked only after a
 * signature was verified.
 */
export function readStatement({ payloadType, payload }: Artefact): Statement | undefined {
  if (payloadType !== PAYLOAD_TYPE) return undefined;
  return statementSchema.safeParse(parseBoundedJson(payload)).data;
}

/** What a statement says of one image: the subject with its digest; undefined when there is none. */
export function subjectOf({ subject }: Statement, digest: string): Subject | undefined {
  const [algorithm = '', hex = ''] = digest.split(':');
  return subject.find(
    (each) => hex !== '' && Object.hasOwn(each.digest, algorithm) && each.digest[algorithm] === hex,
  );
}
