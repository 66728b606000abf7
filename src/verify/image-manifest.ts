import { z } from 'zod';
import { hasRepeatedNames, parseBoundedJson } from '../parse/bounded-json.ts';
import { isObject } from '../parse/json-object.ts';
import { isDigest } from '../registry/digest.ts';
import type { Manifest } from '../registry/registry.ts';

/*
 * What an image's digest stands for: a manifest of one image, or an index of images for several
 * platforms (OCI image specification 1.1; Docker's schema 2 and manifest list have the same keys).
 *
 * The digest is over the body alone, so the Content-Type decides nothing here: a registry could
 * name another one to the node. A body that could be read as both is refused (CVE-2021-41190), and
 * one with a name twice, or in another case, of which readers take one or the other.
 */

/** An image of an index, or the one image that there is. */
export interface ImageDescriptor {
  readonly digest: string;
  /** As the index says; undefined where it does not say. */
  readonly platform: OfferedPlatform | undefined;
}

export interface OfferedPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

export interface ConfigDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export type ImageManifest =
  | { readonly kind: 'image'; readonly config: ConfigDescriptor }
  /** `images` are those that a node can choose, never empty. */
  | { readonly kind: 'index'; readonly images: readonly ImageDescriptor[] }
  /** Neither; `reason` says what it is instead. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** Official images have at most 16 platforms, each with an attestation beside it. */
const MAX_DESCRIPTORS = 64;
/** Commas and brackets: layers and their annotations, of the largest images a few thousand. */
const MAX_PARTS = 100_000;

const IMAGE_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);
const INDEX_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);

const digest = z.string().refine(isDigest);
/**
 * An object whose members are written as here: Go, which every node is written in, takes `Digest`
 * for `digest` too, and would read another image out of the same bytes.
 */
export function asWritten<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>) {
  const names = Object.keys(schema.shape);
  return z.custom<object>((value) => isObject(value) && isAsWritten(value, names)).pipe(schema);
}

function isAsWritten(value: object, names: readonly string[]): boolean {
  const folded = new Set(names.map(fold));
  return Object.keys(value).every((name) => names.includes(name) || !folded.has(fold(name)));
}

/** Go takes two letters beyond ASCII for s and k; this does, and some more. */
function fold(name: string): string {
  return name.toLowerCase().toUpperCase();
}

/** Go's null is no value. */
const optionalText = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);

export const platformSchema = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: optionalText,
});

const imageBody = z.object({
  schemaVersion: z.literal(2),
  config: asWritten(z.object({ mediaType: z.string(), digest, size: z.int().nonnegative() })),
  layers: z.array(z.unknown()),
});

const indexBody = z.object({
  schemaVersion: z.literal(2),
  manifests: z.array(
    asWritten(
      z.object({
        digest,
        platform: asWritten(platformSchema)
          .nullish()
          .transform((platform) => platform ?? undefined),
      }),
    ),
  ),
});

const NAMES = ['schemaVersion', 'mediaType', 'config', 'layers', 'manifests'];

/** Reads a manifest or an index. Never throws. */
export function readImageManifest({ bytes }: Pick<Manifest, 'bytes'>): ImageManifest {
  const body = parseBoundedJson(bytes, MAX_PARTS);
  if (!isObject(body)) return malformed('a manifest that is no JSON object');
  if (hasRepeatedNames(bytes, body) || !isAsWritten(body, NAMES)) {
    return malformed('what others may read differently');
  }
  return readBody(body);
}

function readBody(body: Record<string, unknown>): ImageManifest {
  const isIndex = Object.hasOwn(body, 'manifests');
  const isImage = Object.hasOwn(body, 'config') || Object.hasOwn(body, 'layers');
  if (isIndex === isImage) {
    return malformed(isIndex ? 'what is both an image and an index' : 'what is neither');
  }
  const mediaType = body['mediaType'];
  const types = isIndex ? INDEX_TYPES : IMAGE_TYPES;
  if (mediaType !== undefined && !(typeof mediaType === 'string' && types.has(mediaType))) {
    return malformed('a media type that contradicts what it holds');
  }
  return isIndex ? readIndex(body) : readImage(body);
}

function readImage(body: object): ImageManifest {
  const read = imageBody.safeParse(body);
  if (!read.success) return malformed(`a malformed manifest (${placeOf(read.error)})`);
  return { kind: 'image', config: read.data.config };
}

function readIndex(body: Record<string, unknown>): ImageManifest {
  const manifests = body['manifests'];
  if (Array.isArray(manifests) && manifests.length > MAX_DESCRIPTORS) {
    return malformed(`an index of ${manifests.length} manifests, more than ${MAX_DESCRIPTORS}`);
  }
  const read = indexBody.safeParse(body);
  if (!read.success) return malformed(`a malformed index (${placeOf(read.error)})`);
  const images = read.data.manifests.filter(({ platform }) => !isNoPlatform(platform));
  return images.length === 0 ? malformed('an index without images') : { kind: 'index', images };
}

/**
 * BuildKit writes its attestations into the index as manifests of this platform. It is the
 * platform alone that counts, not their annotation: no node is of it, so none can choose them.
 */
function isNoPlatform(platform: OfferedPlatform | undefined): boolean {
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

function malformed(reason: string): ImageManifest {
  return { kind: 'malformed', reason };
}

/** Where the first mistake is; what stands there is foreign and not repeated. */
export function placeOf(error: z.ZodError): string {
  return error.issues[0]?.path.join('.') ?? '';
}
