import type { ErrorCode } from '../../src/errors.ts';
import type { Descriptor } from '../../src/registry/registry.ts';
import type { ResolvedImage, VerifyContext } from '../../src/verify/resolved-image.ts';
import { contextOf, newMemoryRegistry, resolve } from '../support/memory-registry.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const REPOSITORY = 'r.example.com/app';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';

type Pushed = Pick<Descriptor, 'digest' | 'size' | 'mediaType'>;

/** A registry in memory with one repository, and images in it that say of themselves what a test wants. */
export class ImageRegistry {
  readonly #registry = newMemoryRegistry();

  /** Tags and digests that were asked for, in order. */
  get asked(): readonly string[] {
    return this.#registry.requests.map((request) => request.replace(/^\S+ /, ''));
  }

  get context(): VerifyContext {
    return contextOf(this.#registry, () => NOW);
  }

  /** A manifest or an index, well formed or not; a text is taken as it is. */
  push(content: object | string): Pushed {
    const digest = this.#registry.putManifest(REPOSITORY, content);
    return { digest, mediaType: OCI_MANIFEST, size: 1 };
  }

  /** An image with this config, or with what stands in its place. */
  pushImage(config: object | string, mediaType = OCI_CONFIG): Pushed {
    const isText = typeof config === 'string' || config instanceof Uint8Array;
    const bytes = Buffer.from(isText ? config : JSON.stringify(config));
    const pushed = { mediaType, ...this.#registry.putBlob(REPOSITORY, bytes) };
    return this.push({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: pushed, layers: [] });
  }

  pushIndex(manifests: readonly unknown[]): Pushed {
    return this.push({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  }

  tag(name: string, digest: string): void {
    this.#registry.tag(REPOSITORY, name, digest);
  }

  /** From now on what is asked for a tag or digest fails. */
  fail(reference: string, code?: ErrorCode): void {
    this.#registry.fail(reference, code);
  }

  /** The image as it was resolved, by its digest unless the reference is given. */
  resolve(digest: string, written = `${REPOSITORY}@${digest}`): Promise<ResolvedImage> {
    return resolve(this.#registry, REPOSITORY, digest, written);
  }
}
