import { z } from 'zod';
import { refuse } from './refuse.ts';
import type { Refinement } from './refuse.ts';
import { compileTextPattern } from './text-pattern.ts';
import type { TextPattern } from './text-pattern.ts';

/*
 * Whose signature counts, as the rules file says it: keys, or certificates of one's own authority,
 * or keyless. What is in the files that are named here is looked at in signer-mistakes.ts.
 */

/** Each is tried on every signature. */
const MAX_SIGNERS = 32;
const MAX_PATTERN_LENGTH = 1000;

const text = z.string().min(1);
const name = {
  san: text.optional().describe('A subject alternative name, exactly.'),
  sanPattern: z
    .string()
    .min(1)
    .max(MAX_PATTERN_LENGTH)
    .transform(compileTextPattern)
    .optional()
    .describe('RE2 syntax over a subject alternative name, anchored at both ends.'),
};

interface NameSpec {
  readonly san?: string | undefined;
  readonly sanPattern?: TextPattern | undefined;
}

const oneName = z.refine<NameSpec>(
  ({ san, sanPattern }) => (san === undefined) !== (sanPattern === undefined),
  {
    message: 'expected one of san and sanPattern',
    params: { hint: 'list several identities one by one' },
  },
);

const identity = z.strictObject(name).check(oneName);
const keylessIdentity = z
  .strictObject({
    ...name,
    issuer: text.describe('The OpenID Connect provider in the certificate, exactly.'),
  })
  .check(oneName);

export type IdentitySpec = z.output<typeof identity> & { readonly issuer?: string };

/** A list that means nothing when empty. */
function some<T extends z.ZodType>(item: T) {
  return z.array(item).min(1).max(MAX_SIGNERS);
}

/** The keys of an entry that say whose signature counts. */
export const signersShape = {
  keys: some(text)
    .optional()
    .describe('Public keys: files, relative to the rules file, or PEM as it is.'),
  certificateChain: text
    .optional()
    .describe('File (or PEM) with the root, and authorities below it, of your own signers.'),
  identities: some(identity)
    .optional()
    .describe('Beside certificateChain: whose certificates of these authorities count.'),
  keyless: z
    .strictObject({
      trustedRoot: text.describe('File: the trusted root of Fulcio and Rekor, as JSON.'),
      identities: some(keylessIdentity).describe('Whose signatures count.'),
    })
    .optional()
    .describe(
      'Signed with a certificate of Fulcio and logged in Rekor; neither is asked anything.',
    ),
};

export type SignersSpec = z.output<z.ZodObject<typeof signersShape>>;

/** What an entry has to say about signers as a whole. */
export function checkSigners(entry: SignersSpec, context: Refinement): void {
  const kinds = [entry.keys, entry.certificateChain, entry.keyless];
  if (kinds.filter((kind) => kind !== undefined).length !== 1) {
    refuse(
      context,
      'expected one of keys, certificateChain, keyless',
      'all entries of the list must hold: give each way to sign an entry of its own',
    );
  } else if ((entry.certificateChain === undefined) !== (entry.identities === undefined)) {
    refuse(
      context,
      'certificateChain and identities go together',
      'identities say whose certificates count: `identities: [{ san: release@example.com }]`',
    );
  }
}

/** How many different signers an entry can have at most; undefined where patterns name any number. */
export function signerCount({ keys, identities, keyless }: SignersSpec): number | undefined {
  if (keys !== undefined) return new Set(keys).size;
  const named = identities ?? keyless?.identities ?? [];
  return named.some(({ sanPattern }) => sanPattern !== undefined) ? undefined : named.length;
}
