import { createHash } from 'node:crypto';
import { ImageCheckerError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { parseImageReference } from '../../src/parse/image-reference.ts';
import type { Descriptor, Manifest, Registry, Repository } from '../../src/registry/registry.ts';
import type { ResolvedImage, VerifyContext } from '../../src/verify/resolved-image.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** A registry in memory that does as the interface says, and fails where a test wants it to. */
export interface MemoryRegistry extends Registry {
  /** Every request, as `manifest v1` or `blob sha256:...`. */
  readonly requests: string[];
  putBlob(repository: string, bytes: Uint8Array): { digest: string; size: number };
  /** As whoever serves it has it, who does not know the size that is expected. */
  blobOf(repository: string, digest: string): Uint8Array | undefined;
  /** A manifest or index, as JSON or as it is; returns its digest. */
  putManifest(repository: string, content: object | string, tags?: readonly string[]): string;
  /** Puts a tag on a manifest that is there. */
  tag(repository: string, name: string, digest: string): void;
  /** From now on, what is asked for by this tag or digest fails, or `referrers of sha256:...`. */
  fail(reference: string, code?: ErrorCode): void;
  remove(repository: string, reference: string): void;
}

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A repository is `registry/repository` for the ones who put something there. */
export function newMemoryRegistry(): MemoryRegistry {
  const manifests = new Map<string, Manifest>();
  const blobs = new Map<string, Uint8Array>();
  const failures = new Map<string, ErrorCode>();
  const requests: string[] = [];
  const ask = (what: string, { registry, repository }: Repository, reference: string): string => {
    requests.push(`${what} ${reference}`);
    const code = failures.get(reference);
    if (code !== undefined) throw new ImageCheckerError(code, { message: `no ${reference}` });
    return keyOf(`${registry}/${repository}`, reference);
  };
  return {
    requests,
    putBlob(repository, bytes) {
      const digest = digestOf(bytes);
      blobs.set(keyOf(repository, digest), bytes);
      return { digest, size: bytes.length };
    },
    putManifest(repository, content, tags = []) {
      const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
      const { mediaType = MANIFEST } = content as { mediaType?: string };
      const manifest = { digest: digestOf(bytes), mediaType, bytes };
      for (const reference of [manifest.digest, ...tags]) {
        manifests.set(keyOf(repository, reference), manifest);
      }
      return manifest.digest;
    },
    tag(repository, name, digest) {
      const manifest = manifests.get(keyOf(repository, digest));
      if (manifest === undefined) throw new Error(`no ${digest} in ${repository}`);
      manifests.set(keyOf(repository, name), manifest);
    },
    fail(reference, code = 'registry-unavailable') {
      failures.set(reference, code);
    },
    remove(repository, reference) {
      manifests.delete(keyOf(repository, reference));
      blobs.delete(keyOf(repository, reference));
    },
    async manifest(repository, reference) {
      return Promise.resolve(manifests.get(ask('manifest', repository, reference)));
    },
    async blob(repository, { digest, size }) {
      const bytes = blobs.get(ask('blob', repository, digest));
      if (bytes === undefined || bytes.length === size) return Promise.resolve(bytes);
      const message = `expected ${size} bytes of ${digest}, got ${bytes.length}`;
      throw new ImageCheckerError('registry-corrupt', { message });
    },
    blobOf(repository, digest) {
      return blobs.get(keyOf(repository, digest));
    },
    async referrers(repository, digest) {
      ask('referrers', repository, `referrers of ${digest}`);
      const prefix = keyOf(`${repository.registry}/${repository.repository}`, 'sha256:');
      const all = [...manifests].filter(([key]) => key.startsWith(prefix));
      return Promise.resolve(
        all.flatMap(([, manifest]): Descriptor[] =>
          subjectOf(manifest) === digest ? [descriptorOf(manifest)] : [],
        ),
      );
    },
  };
}

function keyOf(repository: string, reference: string): string {
  return `${repository} ${reference}`;
}

function subjectOf({ bytes }: Manifest): string | undefined {
  const { subject } = JSON.parse(Buffer.from(bytes).toString()) as { subject?: Descriptor };
  return subject?.digest;
}

function descriptorOf({ digest, mediaType, bytes }: Manifest): Descriptor {
  // What docker-registry says of everything that cosign attaches.
  return { mediaType, digest, size: bytes.length, artifactType: EMPTY };
}

const EMPTY = 'application/vnd.oci.empty.v1+json';

/** Pushes an image of its own and resolves it. */
export async function pushImage(
  registry: MemoryRegistry,
  repository: string,
  seed = 'image',
): Promise<ResolvedImage> {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...sizeOf(seed) };
  const content = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [] };
  return resolve(registry, repository, registry.putManifest(repository, content, ['v1']));
}

function sizeOf(text: string): { digest: string; size: number } {
  return { digest: digestOf(text), size: text.length };
}

/** The image of a digest, by the reference that is written. */
export async function resolve(
  registry: MemoryRegistry,
  repository: string,
  digest: string,
  written = `${repository}:v1@${digest}`,
): Promise<ResolvedImage> {
  const parsed = parseImageReference(written);
  if (!parsed.ok) throw new Error(parsed.error);
  const manifest = await registry.manifest(parsed.reference, digest, contextOf(registry).signal);
  if (manifest === undefined) throw new Error(`no ${digest}`);
  return { reference: parsed.reference, digest, manifest };
}

export function contextOf(registry: Registry, now: () => number = Date.now): VerifyContext {
  return { registry, signal: new AbortController().signal, now };
}
