/*
 * The grammar of an image reference, as the kubelet applies it: ParseNormalizedNamed of the Go
 * library distribution/reference (v0.5 and newer), then `latest` where there is neither tag nor
 * digest.
 *
 *   reference        = name [ ":" tag ] [ "@" digest ]
 *   name             = [ registry "/" ] path
 *   registry         = host [ ":" digit+ ]
 *   host             = label *( "." label ) | "[" ( hex-digit | ":" )+ "]"
 *   label            = alnum [ *( alnum | "-" ) alnum ]             upper and lower case
 *   path             = component *( "/" component )                 at most 255 bytes
 *   component        = lower-alnum+ *( separator lower-alnum+ )
 *   separator        = "." | "_" | "__" | "-"+
 *   tag              = word *127( word | "." | "-" )                word: alnum or "_"
 *   digest           = algorithm ":" hex-digit{32,}
 *   algorithm        = alpha alnum* *( ( "+" | "." | "-" | "_" ) alpha alnum* )
 *
 * Normalisation comes first: the part before the first "/" is a registry when it is `localhost`,
 * holds "." or ":" or an uppercase letter; otherwise the registry is docker.io. `index.docker.io`
 * is docker.io, and a name of one component on docker.io gets `library/` before it.
 *
 * A part that was taken for a registry but is none by the grammar above may still be a path
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
const MAX_TAG_LENGTH = 128;
const MIN_DIGEST_HEX_LENGTH = 32;

/** Length of the hex part by digest algorithm (those that the kubelet has available). */
const DIGEST_HEX_LENGTH: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

const INVALID_FORMAT = 'invalid reference format';

/** Reads one image string; any string at all, without trimming or decoding. */
export function parseImageReference(image: string): ParsedReference {
  if (isIdentifier(image)) {
    return failure(
      `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const { registry, remainder, explicit } = splitRegistry(image);
  const colon = remainder.indexOf(':');
  const name = colon < 0 ? remainder : remainder.slice(0, colon);
  if (lower(name) !== name) {
    return failure(`${INVALID_FORMAT}: repository name (${name}) must be lowercase`);
  }
  return parseParts(`${registry}/${remainder}`, explicit);
}

/**
 * Whether a runtime may take the string for the id of an image that it already has, instead of a
 * name to pull (containerd looks `sha256:<hex>` up among its local ids, shortened ones too).
 */
export function isLocalImageId(image: string): boolean {
  const colon = image.indexOf(':');
  if (colon < 0 || !DIGEST_HEX_LENGTH.has(image.slice(0, colon))) return false;
  return every(image, colon + 1, isHexDigit);
}

/** splitDockerDomain: what counts as the registry before the grammar is asked. */
function splitRegistry(image: string): { registry: string; remainder: string; explicit: boolean } {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(slash, 0));
  const explicit = slash >= 0 && namesRegistry(first);
  const registry = explicit ? canonicalRegistry(first) : DEFAULT_REGISTRY;
  const rest = explicit ? image.slice(slash + 1) : image;
  const official = registry === DEFAULT_REGISTRY && !rest.includes('/');
  return { registry, remainder: official ? OFFICIAL_PREFIX + rest : rest, explicit };
}

/** The one alias there is. */
export function canonicalRegistry(registry: string): string {
  return registry === LEGACY_REGISTRY ? DEFAULT_REGISTRY : registry;
}

/** Whether the part before the first slash is read as a registry. */
export function namesRegistry(first: string): boolean {
  return (
    first === 'localhost' || first.includes('.') || first.includes(':') || lower(first) !== first
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
  const effectiveTag = tag ?? (digest === undefined ? DEFAULT_TAG : undefined);
  return {
    ok: true,
    reference: {
      registry,
      repository,
      tag: effectiveTag,
      digest,
      normalized: joinReference(registry, repository, effectiveTag, digest),
      explicitRegistry,
      explicitTag: tag !== undefined,
    },
  };
}

function joinReference(
  registry: string,
  repository: string,
  tag: string | undefined,
  digest: string | undefined,
): string {
  const name = registry === '' ? repository : `${registry}/${repository}`;
  return name + (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

interface Parts {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** ReferenceRegexp: the parts of a whole match, or undefined. */
function matchReference(full: string): Parts | undefined {
  const at = full.indexOf('@');
  const digest = at < 0 ? undefined : full.slice(at + 1);
  if (digest !== undefined && !isDigestShape(digest)) return undefined;
  const nameAndTag = at < 0 ? full : full.slice(0, at);
  const colon = nameAndTag.indexOf(':', nameAndTag.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : nameAndTag.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) return undefined;
  const name = matchName(colon < 0 ? nameAndTag : nameAndTag.slice(0, colon));
  return name === undefined ? undefined : { ...name, tag, digest };
}

function matchName(name: string): { registry: string; repository: string } | undefined {
  const slash = name.indexOf('/');
  if (slash >= 0 && isRegistry(name.slice(0, slash))) {
    const repository = name.slice(slash + 1);
    return isPath(repository) ? { registry: name.slice(0, slash), repository } : undefined;
  }
  return isPath(name) ? { registry: '', repository: name } : undefined;
}

/** Whether a string is `host` or `host:port` by the grammar. */
export function isRegistry(text: string): boolean {
  const hostEnd = text.startsWith('[') ? text.indexOf(']') + 1 : indexOrEnd(text, ':');
  if (hostEnd < text.length) {
    const port = text.slice(hostEnd + 1);
    if (text[hostEnd] !== ':' || port === '' || !every(port, 0, isDigit)) return false;
  }
  return isHost(text.slice(0, hostEnd));
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) {
    const address = host.slice(1, -1);
    return address !== '' && host.endsWith(']') && every(address, 0, isHexDigitOrColon);
  }
  return host.split('.').every(isLabel);
}

function isLabel(label: string): boolean {
  return (
    label !== '' && !label.startsWith('-') && !label.endsWith('-') && every(label, 0, isAlnumOrDash)
  );
}

function isPath(path: string): boolean {
  return path.split('/').every(isPathComponent);
}

/** Whether a string is one component of a repository path. */
export function isPathComponent(component: string): boolean {
  let separator = '-'; // as if one stood before: a component cannot begin with a separator
  for (let index = 0; index < component.length; index++) {
    const code = component.charCodeAt(index);
    if (isLowerAlnum(code)) {
      separator = '';
      continue;
    }
    const next = separator + component.charAt(index);
    if (!isSeparator(next) || (separator === '-' && index === 0)) return false;
    separator = next === '--' ? '-' : next;
  }
  return separator === '';
}

/** A separator read so far; a run of dashes is kept as one. */
function isSeparator(text: string): boolean {
  return text === '.' || text === '_' || text === '__' || text === '-' || text === '--';
}

/** Whether a string is a tag by the grammar. */
export function isTag(tag: string): boolean {
  return (
    tag !== '' &&
    tag.length <= MAX_TAG_LENGTH &&
    isWord(tag.charCodeAt(0)) &&
    every(tag, 1, isTagCharacter)
  );
}

/** The digest part of ReferenceRegexp: wider than what `checkDigest` then lets through. */
function isDigestShape(digest: string): boolean {
  const colon = digest.indexOf(':');
  if (colon < 0 || digest.length - colon - 1 < MIN_DIGEST_HEX_LENGTH) return false;
  return isAlgorithm(digest.slice(0, colon)) && every(digest, colon + 1, isHexDigit);
}

function isAlgorithm(algorithm: string): boolean {
  let atStart = true;
  for (let index = 0; index < algorithm.length; index++) {
    const code = algorithm.charCodeAt(index);
    if (isAlpha(code) || (!atStart && isDigit(code))) atStart = false;
    else if (!atStart && '+.-_'.includes(algorithm.charAt(index))) atStart = true;
    else return false;
  }
  return !atStart;
}

/**
 * digest.Validate of opencontainers/go-digest, for a string that has the shape of a digest: the
 * error text, or undefined when the digest is good.
 */
export function checkDigest(digest: string): string | undefined {
  const colon = digest.indexOf(':');
  const algorithm = digest.slice(0, colon);
  const expected = DIGEST_HEX_LENGTH.get(algorithm);
  if (expected === undefined) {
    const wellFormed = lower(algorithm) === algorithm;
    return wellFormed ? 'unsupported digest algorithm' : 'invalid checksum digest format';
  }
  if (digest.length - colon - 1 !== expected) return 'invalid checksum digest length';
  const valid = every(digest, colon + 1, isLowerHexDigit);
  return valid ? undefined : 'invalid checksum digest format';
}

/** anchoredIdentifierRegexp: 64 lowercase hex digits are an image id, never a name. */
function isIdentifier(image: string): boolean {
  return image.length === 64 && every(image, 0, isLowerHexDigit);
}

function failure(error: string): ParsedReference {
  return { ok: false, error };
}

/** Go's strings.ToLower maps U+0130 to a plain `i`, JavaScript to `i` and a combining dot. */
function lower(text: string): string {
  return text.replaceAll('\u0130', 'i').toLowerCase();
}

function indexOrEnd(text: string, part: string): number {
  const index = text.indexOf(part);
  return index < 0 ? text.length : index;
}

/** Whether every UTF-16 unit from `start` on passes; true for an empty rest. */
function every(text: string, start: number, test: (code: number) => boolean): boolean {
  for (let index = start; index < text.length; index++) {
    if (!test(text.charCodeAt(index))) return false;
  }
  return true;
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isLower = (code: number): boolean => code >= 0x61 && code <= 0x7a;
const isUpper = (code: number): boolean => code >= 0x41 && code <= 0x5a;
const isAlpha = (code: number): boolean => isLower(code) || isUpper(code);
const isLowerAlnum = (code: number): boolean => isLower(code) || isDigit(code);
const isAlnumOrDash = (code: number): boolean => isAlpha(code) || isDigit(code) || code === 0x2d;
const isWord = (code: number): boolean => isAlpha(code) || isDigit(code) || code === 0x5f;
const isTagCharacter = (code: number): boolean => isWord(code) || code === 0x2d || code === 0x2e;
const isLowerHexDigit = (code: number): boolean => isDigit(code) || (code >= 0x61 && code <= 0x66);
const isHexDigit = (code: number): boolean =>
  isLowerHexDigit(code) || (code >= 0x41 && code <= 0x46);
const isHexDigitOrColon = (code: number): boolean => isHexDigit(code) || code === 0x3a;
