import { ImageCheckerError, messageOf } from '../errors.ts';
import type { Problem } from '../errors.ts';
import {
  foldRegistry,
  isLocalImageId,
  LOCAL_IMAGE_ID,
  parseImageReference,
} from '../parse/image-reference.ts';
import type { ImageReference } from '../parse/image-reference.ts';
import { unavailable } from '../registry/failure.ts';
import type { Registry } from '../registry/registry.ts';

/** Milliseconds for one image: somebody waits, and no pod does. */
const TIME_LIMIT = 30_000;

/** An image, and where it was found. */
export interface FoundImage {
  readonly file?: string;
  readonly line?: number;
  readonly image: string;
}

/** @throws {ImageCheckerError} `reference-invalid` with each that is no image, and its place */
export function expectImages(found: readonly FoundImage[]): void {
  const problems = found.flatMap(({ image, ...place }): readonly Problem[] => {
    const read = readImage(image);
    return typeof read === 'string' ? [{ ...place, message: read }] : [];
  });
  if (problems.length > 0) throw new ImageCheckerError('reference-invalid', problems);
}

/** @throws {ImageCheckerError} `reference-invalid` */
export function isPinned(image: string): boolean {
  return read(image).digest !== undefined;
}

/**
 * What each image is called with the digest that its tag has now; one with a digest stays as it is.
 *
 * @throws {ImageCheckerError} `reference-invalid`, or `registry-unavailable` with every image that has none
 */
export async function pinImages(
  images: readonly string[],
  registry: Registry,
): Promise<ReadonlyMap<string, string>> {
  const references = [...new Set(images)].map((image) => ({ image, reference: read(image) }));
  const problems: Problem[] = [];
  const pinned = new Map<string, string>();
  await Promise.all(
    references.map(async ({ image, reference }) => {
      try {
        pinned.set(image, await pin(image, reference, registry));
      } catch (thrown) {
        problems.push(...problemsOf(image, thrown));
      }
    }),
  );
  if (problems.length > 0) throw new ImageCheckerError('registry-unavailable', problems);
  return pinned;
}

function read(image: string): ImageReference {
  const reference = readImage(image);
  if (typeof reference !== 'string') return reference;
  throw new ImageCheckerError('reference-invalid', { message: reference });
}

/** The reference, or what is wrong. */
function readImage(image: string): ImageReference | string {
  const wrong = (what: string): string =>
    `expected an image, got ${JSON.stringify(image)}: ${what}`;
  if (isLocalImageId(image)) return wrong(LOCAL_IMAGE_ID);
  const parsed = parseImageReference(image);
  if (!parsed.ok) return wrong(parsed.error);
  const { reference } = parsed;
  return reference.registry === '' ? wrong('it names no registry') : foldRegistry(reference);
}

async function pin(image: string, reference: ImageReference, registry: Registry): Promise<string> {
  const { tag, digest, explicitTag } = reference;
  if (digest !== undefined || tag === undefined) return image;
  const manifest = await registry.manifest(reference, tag, AbortSignal.timeout(TIME_LIMIT));
  if (manifest === undefined) throw unavailable('expected an image at its registry, got none');
  return `${image}${explicitTag ? '' : `:${tag}`}@${manifest.digest}`;
}

function problemsOf(image: string, thrown: unknown): readonly Problem[] {
  if (!(thrown instanceof ImageCheckerError))
    return [{ message: `${image}: ${messageOf(thrown)}` }];
  return thrown.problems.map((problem) => ({
    ...problem,
    message: `${image}: ${problem.message}`,
  }));
}
