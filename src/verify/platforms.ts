import type { Platform } from '../rules/registry-requirement.ts';
import { fetchConfig, fetchConfigOf } from './image-config.ts';
import type { ImageConfig } from './image-config.ts';
import { readImageManifest } from './image-manifest.ts';
import type { ImageDescriptor, OfferedPlatform } from './image-manifest.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';
import { settle } from './settle.ts';

/**
 * Whether an image is there for every platform: an index by what it lists, one image by its
 * config. Messages of refusal, none when it is.
 *
 * @throws {ImageCheckerError} `registry-unavailable` when what could not be fetched might be what
 * is missing; `registry-corrupt`
 */
export async function checkPlatforms(
  image: ResolvedImage,
  platforms: readonly Platform[],
  context: VerifyContext,
): Promise<readonly string[]> {
  const read = readImageManifest(image.manifest);
  if (read.kind === 'malformed') return [`expected an image, got ${read.reason}`];
  const configs =
    read.kind === 'image'
      ? [fetchConfig(image.reference, read.config, context)]
      : read.images.map((each) => platformOf(image, each, context));
  const found = await settle(configs, (some) => missingOf(platforms, some).length === 0);
  const missing = missingOf(platforms, found);
  if (missing.length === 0) return [];
  return [`expected an image for ${list(missing)}, got one for ${list(offeredBy(found))}`];
}

function missingOf(platforms: readonly Platform[], found: readonly ImageConfig[]): string[] {
  const offered = offeredBy(found);
  return platforms.map(nameOf).filter((name) => !offered.includes(name));
}

function offeredBy(found: readonly ImageConfig[]): string[] {
  return found.flatMap((config) => (config.ok ? [nameOf(config.platform)] : []));
}

/** A node looks into the config too where the index says nothing. */
async function platformOf(
  image: ResolvedImage,
  { digest, platform }: ImageDescriptor,
  context: VerifyContext,
): Promise<ImageConfig> {
  if (platform !== undefined) return { ok: true, platform, created: undefined };
  return fetchConfigOf(image.reference, digest, context);
}

/** The variants that a node takes for none (containerd, platforms/database.go). */
const IMPLIED_VARIANTS: ReadonlyMap<string, string> = new Map([
  ['amd64', 'v1'],
  ['arm64', 'v8'],
  ['arm', 'v7'],
]);

/** `os/architecture/variant`, without the variant where it goes without saying. */
function nameOf({ os, architecture, variant }: OfferedPlatform): string {
  const implied = IMPLIED_VARIANTS.get(architecture);
  const said = variant === undefined || variant === '' || variant === implied ? [] : [variant];
  return [os, architecture, ...said].join('/');
}

/** Longer than any platform's name; what an image says is foreign. */
const MAX_NAME_LENGTH = 40;

/** For messages. */
export function describePlatform(platform: OfferedPlatform): string {
  return nameOf(platform).slice(0, MAX_NAME_LENGTH);
}

/** Beyond this a message would be a list and no longer a sentence. */
const MAX_LISTED = 8;

function list(names: readonly string[]): string {
  const different = [...new Set(names)];
  if (different.length === 0) return 'none';
  const rest = different.length - MAX_LISTED;
  const shown = different
    .slice(0, MAX_LISTED)
    .map((name) => name.slice(0, MAX_NAME_LENGTH))
    .join(', ');
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
