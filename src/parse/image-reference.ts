import {
  checkDigest,
  isDigestAlgorithm,
  isHex,
  isIdentifier,
  matchReference,
} from './reference-grammar.ts';

/*
 * The grammar of an image reference, as the kubelet applies it: ParseNormalizedNamed of the Go
 * library distribution/reference (v0.5 and newer), then `latest` where there is neither tag nor
 * digest.
 *
 *   reference = [ registry "/" ] path [ ":" tag ] [ "@" digest ]     words: reference-grammar.ts
 *
 * Normalisation comes first: the part before the first "/" is a registry when it is `localhost`,
 * holds "." or ":" or an uppercase letter; otherwise the registry is docker.io. `index.docker.io`
 * is docker.io, and a name of one component on docker.io gets `library/` before it.
 *
 * A part that was taken for a registry but is none by the grammar may still be a path
 * component (`foo_bar.com/x`). The library then yields a reference with an empty registry; so do
 * we, and `decide` refuses it.
 *
 * Every function here is one pass over its input.
 */

/** An image reference in its parts, normalised. */
export interface ImageReference {
  /** `host` or `host:port`, case as written; empty for names such as `foo_bar.com/x`. */
  readonly registry: string;
  /** The path below the registry, `library/` included. */
  readonly repository: string;
  /** `latest` when neither tag nor digest was written; undefined beside a digest alone. */
  readonly tag: string | undefined;
  /** `sha256:...`, `sha384:...` or `sha512:...` */
  readonly digest: string | undefined;
  /** `registry/repository:tag@digest` */
  readonly normalized: string;
  /** Whether the string itself named the registry: false for `nginx`, true for `docker.io/nginx`. */
  readonly explicitRegistry: boolean;
  /** Whether the string itself named the tag: false for an implied `latest`. */
  readonly explicitTag: boolean;
}

export type ParsedReference =
  | { readonly ok: true; readonly reference: ImageReference }
  /** `error` is the text of the Go library for the same string. */
  | { readonly ok: false; readonly error: string };

const DEFAULT_REGISTRY = 'docker.io';
const LEGACY_REGISTRY = 'index.docker.io';
const OFFICIAL_PREFIX = 'library/';
const DEFAULT_TAG = 'latest';

/** RepositoryNameTotalLengthMax of distribution/reference: the path alone, in bytes. */
const MAX_PATH_LENGTH = 255;
const INVALID_FORMAT = 'invalid reference format';

/** Reads one image string; any string at all, without trimming or decoding. */
export function parseImageReference(image: string): ParsedReference {
  if (isIdentifier(image)) {
    return failure(
      `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const { full, remainder, explicit } = splitRegistry(image);
  const colon = remainder.indexOf(':');
  const name = colon < 0 ? remainder : remainder.slice(0, colon);
  if (name.toLowerCase() !== name) {
    return failure(`${INVALID_FORMAT}: repository name (${name}) must be lowercase`);
  }
  return parseParts(full, explicit);
}

/**
 * Whether a runtime may take the string for the id of an image that it already has, instead of a
 * name to pull (containerd looks `sha256:<hex>` up among its local ids, shortened ones too).
 */
export function isLocalImageId(image: string): boolean {
  const colon = image.indexOf(':');
  return colon >= 0 && isHex(image, colon + 1) && isDigestAlgorithm(image.slice(0, colon));
}

/** What is wrong with one, and what to write. */
export const LOCAL_IMAGE_ID =
  'a node may take this for the id of an image it already has, write registry/name@sha256:...';

/** splitDockerDomain: what counts as the registry before the grammar is asked. */
function splitRegistry(image: string): Split {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(slash, 0));
  const explicit = namesRegistry(first);
  const registry = explicit ? canonicalRegistry(first) : DEFAULT_REGISTRY;
  const rest = explicit ? image.slice(slash + 1) : image;
  const official = registry === DEFAULT_REGISTRY && !rest.includes('/');
  if (registry === first && !official) return { full: image, remainder: rest, explicit };
  const remainder = official ? OFFICIAL_PREFIX + rest : rest;
  return { full: `${registry}/${remainder}`, remainder, explicit };
}

interface Split {
  /** The string with its registry and the path that it stands for. */
  readonly full: string;
  /** What of it is behind the registry. */
  readonly remainder: string;
  readonly explicit: boolean;
}

/** The one alias there is. */
export function canonicalRegistry(registry: string): string {
  return registry === LEGACY_REGISTRY ? DEFAULT_REGISTRY : registry;
}

/** The reference with its host in lower case: names of hosts have none, `EVIL.com` is `evil.com`. */
export function foldRegistry(reference: ImageReference): ImageReference {
  const registry = canonicalRegistry(reference.registry.toLowerCase());
  if (registry === reference.registry) return reference;
  const official = registry === DEFAULT_REGISTRY && !reference.repository.includes('/');
  const repository = official ? OFFICIAL_PREFIX + reference.repository : reference.repository;
  return { ...reference, registry, repository };
}

/** Whether the part before the first slash is read as a registry. */
export function namesRegistry(first: string): boolean {
  return (
    first === 'localhost' ||
    first.includes('.') ||
    first.includes(':') ||
    first.toLowerCase() !== first
  );
}

/** Parse: the grammar itself, over a string that begins with what was taken for the registry. */
function parseParts(full: string, explicitRegistry: boolean): ParsedReference {
  const parts = matchReference(full);
  if (parts === undefined) {
    const uppercase = matchReference(lower(full)) !== undefined;
    return failure(uppercase ? 'repository name must be lowercase' : INVALID_FORMAT);
  }
  const { registry, repository, tag, digest } = parts;
  if (repository.length > MAX_PATH_LENGTH) {
    return failure(`repository name must not be more than ${MAX_PATH_LENGTH} characters`);
  }
  const digestError = digest === undefined ? undefined : checkDigest(digest);
  if (digestError !== undefined) return failure(digestError);
  const isUntagged = tag === undefined && digest === undefined;
  return {
    ok: true,
    reference: {
      registry,
      repository,
      tag: isUntagged ? DEFAULT_TAG : tag,
      digest,
      normalized: isUntagged ? `${full}:${DEFAULT_TAG}` : full,
      explicitRegistry,
      explicitTag: tag !== undefined,
    },
  };
}

function failure(error: string): ParsedReference {
  return { ok: false, error };
}

/** Go's strings.ToLower maps U+0130 to a plain `i`, JavaScript to `i` and a combining dot. */
function lower(text: string): string {
  return text.replaceAll('\u0130', 'i').toLowerCase();
}
