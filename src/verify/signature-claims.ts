import { z } from 'zod';
import { parseBoundedJson } from '../parse/bounded-json.ts';
import { parseImageReference } from '../parse/image-reference.ts';
import type { SignatureRequirement } from '../rules/registry-requirement.ts';
import type { Artefact } from './artefact.ts';
import { SIGN_PREDICATE_TYPE } from './discover.ts';
import type { ResolvedImage } from './resolved-image.ts';
import { readStatement, subjectOf } from './statement.ts';

const COSIGN_TYPE = 'cosign container image signature';

type Annotations = Readonly<Record<string, unknown>>;

/** Simple signing (containers/image, docs/containers-signature.5.md), as cosign writes it. */
const simpleSigningSchema = z.object({
  critical: z.object({
    type: z.string(),
    image: z.object({ 'docker-manifest-digest': z.string() }),
    identity: z.object({ 'docker-reference': z.string() }),
  }),
  optional: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * Why a signature does not speak for an image, whoever made it; undefined when it does. Its payload
 * is read here for the first time: the signature has been verified before.
 */
export function claimsRefusal(
  artefact: Artefact,
  image: ResolvedImage,
  requirement: Pick<SignatureRequirement, 'annotations' | 'repositories'>,
): string | undefined {
  const claims =
    artefact.payloadType === undefined
      ? readSimpleSigning(artefact, image, requirement.repositories)
      : readSignStatement(artefact, image);
  if (typeof claims === 'string') return claims;
  return annotationRefusal(claims, requirement.annotations);
}

/** The annotations, or why the signature is for something else. */
function readSimpleSigning(
  { payload }: Artefact,
  { digest, reference }: ResolvedImage,
  repositories: readonly string[],
): Annotations | string {
  const { data } = simpleSigningSchema.safeParse(parseBoundedJson(payload));
  if (data?.critical.type !== COSIGN_TYPE) return 'no signature of an image';
  const { image, identity } = data.critical;
  if (image['docker-manifest-digest'] !== digest) return 'for another image';
  const signedFor = repositoryOf(identity['docker-reference']);
  const own = `${reference.registry}/${reference.repository}`;
  const isFor = signedFor === own || (signedFor !== undefined && repositories.includes(signedFor));
  return isFor ? (data.optional ?? {}) : 'for another repository';
}

/** Normalised, since cosign writes `index.docker.io/library/nginx`; a tag is left aside. */
function repositoryOf(dockerReference: string): string | undefined {
  const parsed = parseImageReference(dockerReference);
  return parsed.ok ? `${parsed.reference.registry}/${parsed.reference.repository}` : undefined;
}

/** A statement of cosign 3 does not say for which repository it was made. */
function readSignStatement(artefact: Artefact, { digest }: ResolvedImage): Annotations | string {
  const statement = readStatement(artefact);
  if (statement?.predicateType !== SIGN_PREDICATE_TYPE) return 'no signature of an image';
  const subject = subjectOf(statement, digest);
  return subject === undefined ? 'for another image' : (subject.annotations ?? {});
}

function annotationRefusal(
  annotations: Annotations,
  wanted: ReadonlyMap<string, string>,
): string | undefined {
  for (const [key, value] of wanted) {
    if (!Object.hasOwn(annotations, key)) return `without the annotation ${key}`;
    if (annotations[key] !== value) return `with another value of the annotation ${key}`;
  }
  return undefined;
}
