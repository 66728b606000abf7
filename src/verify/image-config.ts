import { z } from 'zod';
import { hasRepeatedNames, parseBoundedJson } from '../parse/bounded-json.ts';
import type { Repository } from '../registry/registry.ts';
import { asWritten, platformSchema, placeOf, readImageManifest } from './image-manifest.ts';
import type { ConfigDescriptor, OfferedPlatform } from './image-manifest.ts';
import type { VerifyContext } from './resolved-image.ts';

/** What an image says of itself (OCI image specification 1.1, config.md). */
export type ImageConfig =
  | { readonly ok: true; readonly platform: OfferedPlatform; readonly created: string | undefined }
  /** There is none that can be read; `reason` says what there is. */
  | { readonly ok: false; readonly reason: string };

/** The largest of the official images' configs have 30 KiB. */
const MAX_CONFIG_BYTES = 1024 * 1024;

const CONFIG_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

const configBody = asWritten(
  platformSchema.extend({
    created: z
      .string()
      .nullish()
      .transform((text) => text ?? undefined),
  }),
);

/**
 * The config of an image of an index.
 *
 * @throws {ImageCheckerError} `registry-unavailable`, `registry-corrupt`
 */
export async function fetchConfigOf(
  repository: Repository,
  digest: string,
  context: VerifyContext,
): Promise<ImageConfig> {
  const manifest = await context.registry.manifest(repository, digest, context.signal);
  if (manifest === undefined) return unreadable(`no manifest ${digest} in the registry`);
  const read = readImageManifest(manifest);
  if (read.kind === 'image') return fetchConfig(repository, read.config, context);
  return unreadable(read.kind === 'index' ? 'an index within the index' : read.reason);
}

/**
 * The config that a manifest names.
 *
 * @throws {ImageCheckerError} `registry-unavailable`, `registry-corrupt`
 */
export async function fetchConfig(
  repository: Repository,
  descriptor: ConfigDescriptor,
  context: VerifyContext,
): Promise<ImageConfig> {
  if (!CONFIG_TYPES.has(descriptor.mediaType)) return unreadable('what is no container image');
  if (descriptor.size > MAX_CONFIG_BYTES) {
    return unreadable(`a config of ${descriptor.size} bytes, more than ${MAX_CONFIG_BYTES}`);
  }
  const bytes = await context.registry.blob(repository, descriptor, context.signal);
  if (bytes === undefined) return unreadable('no config in the registry');
  const json = parseBoundedJson(bytes);
  if (hasRepeatedNames(bytes, json)) return unreadable('a malformed config (a name twice)');
  const read = configBody.safeParse(json);
  if (!read.success) return unreadable(`a malformed config (${placeOf(read.error)})`);
  const { created, ...platform } = read.data;
  return { ok: true, platform, created };
}

function unreadable(reason: string): ImageConfig {
  return { ok: false, reason };
}
