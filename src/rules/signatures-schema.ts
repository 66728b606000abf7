import { z } from 'zod';
import { parseImageReference } from '../parse/image-reference.ts';
import { refuse } from './refuse.ts';
import type { Refinement } from './refuse.ts';
import { checkSigners, signerCount, signersShape } from './signers-schema.ts';

/** How cosign's payload names the repository of an image: without tag and digest. */
function parseRepository(written: string, context: Refinement): string {
  const parsed = parseImageReference(written);
  if (parsed.ok && !parsed.reference.explicitTag && parsed.reference.digest === undefined) {
    return `${parsed.reference.registry}/${parsed.reference.repository}`;
  }
  const message = `expected a repository, got ${JSON.stringify(written)}`;
  const hint = 'write registry/repository, such as registry.example.com/team/app, without a tag';
  return refuse(context, message, hint);
}

const signature = z
  .strictObject({
    ...signersShape,
    annotations: z
      .record(z.string().min(1), z.string())
      .refine((entries) => Object.keys(entries).length > 0, 'expected at least one annotation')
      .optional()
      .describe('What the signature has to say beside the image (`cosign sign -a key=value`).'),
    repositories: z
      .array(z.string().transform(parseRepository))
      .min(1)
      .optional()
      .describe(
        'Repositories for which the signature may have been made, beside that of the image: for mirrors.',
      ),
    threshold: z
      .int()
      .min(1)
      .max(32)
      .default(1)
      .describe('How many different keys, or identities, have to have signed.'),
  })
  .superRefine((entry, context) => {
    checkSigners(entry, context);
    const count = signerCount(entry);
    if (count === undefined || count === 0 || entry.threshold <= count) return;
    const message = `expected at most the ${count} different signers there are, got ${entry.threshold}`;
    const hint = 'list more keys or identities, or ask for fewer';
    refuse(context, message, hint, ['threshold']);
  });

/** The list of `require.signatures`. */
export const signaturesSchema = z
  .array(signature)
  .min(1)
  .max(16)
  .describe('Signatures by cosign that the image has to have; every entry must hold.');

export type SignatureSpec = z.output<typeof signature>;
