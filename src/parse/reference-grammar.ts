/*
 * The words of the grammar of image references (image-reference.ts), as distribution/reference v0.5
 * and newer has them:
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
 * Every function here is one pass over its input.
 */

const MAX_TAG_LENGTH = 128;
const MIN_DIGEST_HEX_LENGTH = 32;

/** Length of the hex part by digest algorithm (those that the kubelet has available). */
const DIGEST_HEX_LENGTH: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

/** The parts of a string by the grammar alone, nothing normalised. */
export interface Parts {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** ReferenceRegexp: the parts of a whole match, or undefined. */
export function matchReference(full: string): Parts | undefined {
  const at = full.indexOf('@');
  const digest = at < 0 ? undefined : full.slice(at + 1);
  if (digest !== undefined && !isDigestShape(digest)) return undefined;
  const nameAndTag = at < 0 ? full : full.slice(0, at);
  const colon = nameAndTag.indexOf(':', nameAndTag.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : nameAndTag.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) return undefined;
  return matchName(colon < 0 ? nameAndTag : nameAndTag.slice(0, colon), tag, digest);
}

function matchName(
  name: string,
  tag: string | undefined,
  digest: string | undefined,
): Parts | undefined {
  const slash = name.indexOf('/');
  const registry = slash < 0 ? '' : name.slice(0, slash);
  if (slash >= 0 && isRegistry(registry)) {
    const repository = name.slice(slash + 1);
    return isPath(repository) ? { registry, repository, tag, digest } : undefined;
  }
  return isPath(name) ? { registry: '', repository: name, tag, digest } : undefined;
}

/** Whether a string is `host` or `host:port` by the grammar. */
export function isRegistry(text: string): boolean {
  const hostEnd = text.startsWith('[') ? text.indexOf(']') + 1 : indexOrEnd(text, ':');
  if (hostEnd < text.length) {
    const digits = hostEnd + 1;
    if (text[hostEnd] !== ':' || digits === text.length || !every(text, digits, DIGIT))
      return false;
  }
  return isHost(text.slice(0, hostEnd));
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) {
    const address = host.slice(1, -1); // isRegistry has cut it behind the "]"
    return address !== '' && every(address, 0, HEX_DIGIT | COLON);
  }
  for (let start = 0; start <= host.length;) {
    const dot = host.indexOf('.', start);
    const end = dot < 0 ? host.length : dot;
    if (!isLabel(host, start, end)) return false;
    start = end + 1;
  }
  return true;
}

/** Whether the part of a host from `start` up to `end` is a label. */
function isLabel(host: string, start: number, end: number): boolean {
  const isEnclosed = is(host.charCodeAt(start), ALNUM) && is(host.charCodeAt(end - 1), ALNUM);
  return start < end && isEnclosed && every(host, start, ALNUM | DASH, end);
}

function isPath(path: string): boolean {
  for (let start = 0; start <= path.length;) {
    const slash = path.indexOf('/', start);
    const end = slash < 0 ? path.length : slash;
    if (!isComponent(path, start, end)) return false;
    start = end + 1;
  }
  return true;
}

/** Whether a string is one component of a repository path. */
export function isPathComponent(component: string): boolean {
  return isComponent(component, 0, component.length);
}

/** Whether the part of a path from `start` up to `end` is a component. */
function isComponent(text: string, start: number, end: number): boolean {
  let separator = '-'; // as if one stood before: an empty component is none
  for (let index = start; index < end; index++) {
    if (is(text.charCodeAt(index), LOWER | DIGIT)) {
      separator = '';
      continue;
    }
    const next = separator + text.charAt(index);
    if (!isSeparator(next) || index === start) return false;
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
  const begins = is(tag.charCodeAt(0), WORD); // NaN, which is none, for the empty string
  return begins && tag.length <= MAX_TAG_LENGTH && every(tag, 1, WORD | DASH | DOT);
}

/** The digest part of ReferenceRegexp: wider than what `checkDigest` then lets through. */
function isDigestShape(digest: string): boolean {
  const colon = digest.indexOf(':');
  if (colon < 0 || digest.length - colon - 1 < MIN_DIGEST_HEX_LENGTH) return false;
  return isAlgorithm(digest.slice(0, colon)) && every(digest, colon + 1, HEX_DIGIT);
}

function isAlgorithm(algorithm: string): boolean {
  let atStart = true;
  for (let index = 0; index < algorithm.length; index++) {
    const code = algorithm.charCodeAt(index);
    if (is(code, LOWER | UPPER) || (!atStart && is(code, DIGIT))) atStart = false;
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
    const wellFormed = algorithm.toLowerCase() === algorithm;
    return wellFormed ? 'unsupported digest algorithm' : 'invalid checksum digest format';
  }
  if (digest.length - colon - 1 !== expected) return 'invalid checksum digest length';
  const valid = every(digest, colon + 1, DIGIT | HEX_LOWER);
  return valid ? undefined : 'invalid checksum digest format';
}

/** Whether a string is the name of a digest algorithm that a node knows. */
export function isDigestAlgorithm(name: string): boolean {
  return DIGEST_HEX_LENGTH.has(name);
}

/** Whether every character from `start` on is a hex digit of either case. */
export function isHex(text: string, start: number): boolean {
  return every(text, start, HEX_DIGIT);
}

/** anchoredIdentifierRegexp: 64 lowercase hex digits are an image id, never a name. */
export function isIdentifier(image: string): boolean {
  return image.length === 64 && every(image, 0, DIGIT | HEX_LOWER);
}

function indexOrEnd(text: string, part: string): number {
  const index = text.indexOf(part);
  return index < 0 ? text.length : index;
}

/** Kinds of characters, to be joined with `|`. */
const DIGIT = 1;
const LOWER = 2;
const UPPER = 4;
const HEX_LOWER = 8;
const HEX_UPPER = 16;
const DASH = 32;
const DOT = 64;
const UNDERSCORE = 128;
const COLON = 256;
const ALNUM = LOWER | UPPER | DIGIT;
const WORD = ALNUM | UNDERSCORE;
const HEX_DIGIT = DIGIT | HEX_LOWER | HEX_UPPER;

/** The kinds of each ASCII character. */
const KINDS = Uint16Array.from({ length: 128 }, (_, code) => kindsOf(String.fromCharCode(code)));

function kindsOf(character: string): number {
  const among = (characters: string, kind: number): number =>
    characters.includes(character) ? kind : 0;
  return (
    among('0123456789', DIGIT) |
    among('abcdefghijklmnopqrstuvwxyz', LOWER) |
    among('ABCDEFGHIJKLMNOPQRSTUVWXYZ', UPPER) |
    among('abcdef', HEX_LOWER) |
    among('ABCDEF', HEX_UPPER) |
    among('-', DASH) |
    among('.', DOT) |
    among('_', UNDERSCORE) |
    among(':', COLON)
  );
}

/** Whether a character is of one of the kinds; NaN, and what is not ASCII, is of none. */
function is(code: number, kinds: number): boolean {
  return ((KINDS[code] ?? 0) & kinds) !== 0;
}

/** Whether every UTF-16 unit from `start` up to `end` is of one of the kinds; true for none. */
function every(text: string, start: number, kinds: number, end = text.length): boolean {
  for (let index = start; index < end; index++) {
    if (!is(text.charCodeAt(index), kinds)) return false;
  }
  return true;
}
