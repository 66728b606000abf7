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
    const address = host.slice(1, -1); // isRegistry has cut it behind the "]"
    return address !== '' && every(address, 0, isHexDigitOrColon);
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
  let separator = '-'; // as if one stood before: an empty component is none
  for (let index = 0; index < component.length; index++) {
    const code = component.charCodeAt(index);
    if (isLowerAlnum(code)) {
      separator = '';
      continue;
    }
    const next = separator + component.charAt(index);
    if (!isSeparator(next) || index === 0) return false;
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
  const begins = isWord(tag.charCodeAt(0)); // NaN, which is none, for the empty string
  return begins && tag.length <= MAX_TAG_LENGTH && every(tag, 1, isTagCharacter);
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
    const wellFormed = algorithm.toLowerCase() === algorithm;
    return wellFormed ? 'unsupported digest algorithm' : 'invalid checksum digest format';
  }
  if (digest.length - colon - 1 !== expected) return 'invalid checksum digest length';
  const valid = every(digest, colon + 1, isLowerHexDigit);
  return valid ? undefined : 'invalid checksum digest format';
}

/** Whether a string is the name of a digest algorithm that a node knows. */
export function isDigestAlgorithm(name: string): boolean {
  return DIGEST_HEX_LENGTH.has(name);
}

/** Whether every character from `start` on is a hex digit of either case. */
export function isHex(text: string, start: number): boolean {
  return every(text, start, isHexDigit);
}

/** anchoredIdentifierRegexp: 64 lowercase hex digits are an image id, never a name. */
export function isIdentifier(image: string): boolean {
  return image.length === 64 && every(image, 0, isLowerHexDigit);
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
