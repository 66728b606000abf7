import { compileGlob } from './glob.ts';
import type { Glob } from './glob.ts';
import { namesRegistry, parseImageReference } from './image-reference.ts';
import type { ImageReference } from './image-reference.ts';
import { checkDigest, isPathComponent, isTag } from './reference-grammar.ts';
import { foldRegistryPattern, parseRegistryPattern } from './registry-pattern.ts';
import type { ParsedPattern, RegistryPattern } from './registry-pattern.ts';

/*
 * image-pattern = name [ ":" tag-glob ] [ "@" digest ]
 * name          = "**" | [ registry-part "/" ] component *( "/" component )
 * registry-part = registry | "*." suffix | "**"
 * component     = "**" | path component in which "*" may stand for any run of characters
 *
 * A pattern is normalised as a reference is: `nginx` is docker.io/library/nginx, `team-*` is
 * docker.io/library/team-*. `**` as the first component is any registry with any leading path.
 * Registry and path are matched apart, so no wildcard of the path reaches into the registry.
 */

/** `any`: every registry, reached by a leading `**`. */
export type RegistryPart = RegistryPattern | { readonly kind: 'any' };

/** A compiled image pattern in its parts. */
export interface ImagePattern {
  readonly source: string;
  readonly registry: RegistryPart;
  /** Components below the registry; `**` stands for any number of whole ones. */
  readonly path: readonly (Glob | '**')[];
  /** The whole path when it holds no wildcard: what an index can look up. */
  readonly literalPath: string | undefined;
  readonly tag: Glob | undefined;
  readonly digest: string | undefined;
}

/** Reads one image pattern. */
export function parseImagePattern(source: string): ParsedPattern<ImagePattern> {
  const at = source.indexOf('@');
  const digest = at < 0 ? undefined : source.slice(at + 1);
  const nameAndTag = at < 0 ? source : source.slice(0, at);
  const colon = nameAndTag.indexOf(':', nameAndTag.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : nameAndTag.slice(colon + 1);
  const name = colon < 0 ? nameAndTag : nameAndTag.slice(0, colon);
  const mistake = checkDigestPart(digest) ?? checkTagPart(tag) ?? checkWholeName(name);
  if (mistake !== undefined) return mistake;
  const parts = readName(name);
  if (!parts.ok) return parts;
  return {
    ok: true,
    pattern: {
      source,
      ...parts.pattern,
      tag: tag === undefined ? undefined : compileGlob(tag),
      digest,
    },
  };
}

function checkDigestPart(digest: string | undefined): ParsedPattern<never> | undefined {
  if (digest === undefined) return undefined;
  if (parseImageReference(`x@${digest}`).ok) return undefined;
  const hint = 'write @sha256: and 64 hex digits; `require: { digest: true }` asks for any digest';
  const cause = digest.includes(':') ? checkDigest(digest) : undefined;
  return refuse(`expected a digest after @${cause === undefined ? '' : ` (${cause})`}`, hint);
}

function checkTagPart(tag: string | undefined): ParsedPattern<never> | undefined {
  if (tag === undefined || isTagGlob(tag)) return undefined;
  return refuse(
    `expected a tag, with * for any run of characters, got ${JSON.stringify(tag)}`,
    'a tag holds letters, digits, "_", "." and "-", begins with none of the last two, and is no longer than 128',
  );
}

/** Whether some tag can match the glob. */
export function isTagGlob(tag: string): boolean {
  const literal = tag.replaceAll('*', '');
  return !tag.includes('**') && (isTag(literal) || (tag.startsWith('*') && isTag(`a${literal}`)));
}

function checkWholeName(name: string): ParsedPattern<never> | undefined {
  if (name === '*') return refuse('"*" alone takes no image', 'write ** for every image');
  if (name === '') return refuse('expected an image pattern, got an empty name', NAME_HINT);
  return undefined;
}

const NAME_HINT = 'write registry/path, such as docker.io/library/nginx or registry.example.com/**';

type NameParts = Pick<ImagePattern, 'registry' | 'path' | 'literalPath'>;

function readName(name: string): ParsedPattern<NameParts> {
  const components = name.split('/');
  const [first = '', ...rest] = components;
  if (first === '**') return readPath({ kind: 'any' }, components);
  if (rest.length === 0) return readSingle(first);
  if (first === '*' || (first.includes('*') && namesRegistry(first))) {
    return readWildcardRegistry(first, rest);
  }
  if (!namesRegistry(first)) return readPath(DOCKER_HUB, components);
  const registry = parseRegistryPattern(first);
  if (!registry.ok) return registry;
  return readPath(registry.pattern, rest);
}

const DOCKER_HUB: RegistryPattern = { kind: 'exact', registry: 'docker.io' };

/** A name without a slash: an official image of Docker Hub, as in a reference. */
function readSingle(name: string): ParsedPattern<NameParts> {
  if (name.startsWith('*.')) {
    return refuse(`${JSON.stringify(name)} names no path`, `write ${name}/** for all its images`);
  }
  return readPath(DOCKER_HUB, [name]);
}

function readWildcardRegistry(first: string, rest: readonly string[]): ParsedPattern<NameParts> {
  if (first.startsWith('*.') && !first.includes('*', 1)) {
    const registry = parseRegistryPattern(first);
    return registry.ok ? readPath(registry.pattern, rest) : registry;
  }
  return refuse(
    `"*" cannot stand for or within a registry name, got ${JSON.stringify(first)}`,
    'write *.suffix for the hosts of a domain, or ** as the first component for any registry',
  );
}

function readPath(registry: RegistryPart, components: readonly string[]): ParsedPattern<NameParts> {
  const path = isOfficial(registry, components) ? [OFFICIAL, ...components] : components;
  const wrong = path.find((component) => component !== '**' && !isComponentGlob(component));
  if (wrong !== undefined) return refuse(componentMistake(wrong), COMPONENT_HINT);
  const least = path
    .filter((component) => component !== '**')
    .map((component) => component.replaceAll('*', '') || 'a')
    .join('/');
  if (least.length > 255) return refuse('no path is longer than 255 characters', NAME_HINT);
  return {
    ok: true,
    pattern: {
      registry,
      path: path.map((component) => (component === '**' ? '**' : compileGlob(component))),
      literalPath: path.some((component) => component.includes('*')) ? undefined : path.join('/'),
    },
  };
}

/** Where Docker Hub keeps what is named by one component. */
const OFFICIAL = 'library';

function isOfficial(registry: RegistryPart, path: readonly unknown[]): boolean {
  const isHub = registry.kind === 'exact' && registry.registry === 'docker.io';
  return isHub && path.length === 1 && path[0] !== '**';
}

const COMPONENT_HINT =
  'a path component holds lower-case letters, digits and single ".", "_", "__" or dashes between them; ' +
  '* stands for any run within one component, ** for whole components';

function componentMistake(component: string): string {
  if (component === '') return 'expected a path component, got an empty one (//, or / at an end)';
  if (component.includes('**')) {
    return `"**" stands for whole path components, got ${JSON.stringify(component)}`;
  }
  return `no image has a path component like ${JSON.stringify(component)}`;
}

/** Whether some path component can match the glob: if any can, one with a letter for each `*`. */
function isComponentGlob(component: string): boolean {
  return !component.includes('**') && isPathComponent(component.replaceAll('*', 'a'));
}

function refuse(error: string, hint: string): ParsedPattern<never> {
  return { ok: false, error, hint };
}

/** The pattern with its host in lower case, as `foldRegistry` has references; the same one where it is. */
export function foldImagePattern(pattern: ImagePattern): ImagePattern {
  if (pattern.registry.kind === 'any') return pattern;
  const registry = foldRegistryPattern(pattern.registry);
  if (registry === pattern.registry) return pattern;
  const { path, literalPath } = pattern;
  if (!isOfficial(registry, path)) return { ...pattern, registry };
  return {
    ...pattern,
    registry,
    path: [compileGlob(OFFICIAL), ...path],
    literalPath: literalPath === undefined ? undefined : `${OFFICIAL}/${literalPath}`,
  };
}

/** How a tag beside a digest is read: the node pulls the digest, so the tag proves nothing. */
export type TagReading = 'as-written' | 'as-proof';

/** Whether a pattern takes a reference; linear in the reference for a given pattern. */
export function matchesReference(
  pattern: ImagePattern,
  reference: ImageReference,
  reading: TagReading,
): boolean {
  return (
    matchesRegistry(pattern.registry, reference.registry) &&
    matchesTagAndDigest(pattern, reference, reading) &&
    matchesPath(pattern, reference.repository)
  );
}

function matchesRegistry(part: RegistryPart, registry: string): boolean {
  if (part.kind === 'any') return true;
  if (part.kind === 'exact') return registry === part.registry;
  return registry.length > part.suffix.length && registry.endsWith(part.suffix);
}

function matchesTagAndDigest(
  pattern: ImagePattern,
  reference: ImageReference,
  reading: TagReading,
): boolean {
  if (pattern.digest !== undefined && pattern.digest !== reference.digest) return false;
  if (pattern.tag === undefined) return true;
  const unproven = reference.digest !== undefined && pattern.digest === undefined;
  if (reference.tag === undefined || (unproven && reading === 'as-proof')) return false;
  return pattern.tag.matches(reference.tag);
}

function matchesPath(pattern: ImagePattern, repository: string): boolean {
  if (pattern.literalPath !== undefined) return pattern.literalPath === repository;
  return matchesComponents(pattern.path, repository.split('/'));
}

/** The usual two-pointer match of a glob, over components: only the last `**` is ever retried. */
function matchesComponents(path: readonly (Glob | '**')[], components: readonly string[]): boolean {
  let at = 0;
  let retryPath = -1;
  let retryAt = 0;
  let index = 0;
  while (index < components.length) {
    const part = path[at];
    if (part === '**') {
      retryPath = at++;
      retryAt = index;
    } else if (part?.matches(components[index] ?? '') === true) {
      at++;
      index++;
    } else if (retryPath >= 0) {
      at = retryPath + 1;
      index = ++retryAt;
    } else {
      return false;
    }
  }
  return path.slice(at).every((part) => part === '**');
}
