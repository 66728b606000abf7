import { createHash } from 'node:crypto';
import { ImageCheckerError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { parseImageReference } from '../../src/parse/image-reference.ts';
import type { Descriptor, Registry } from '../../src/registry/registry.ts';
import type { ResolvedImage, VerifyContext } from '../../src/verify/resolved-image.ts';

export const NOW = Date.parse('2026-11-27T12:00:00Z');
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';

export type Pushed = Pick<Descriptor, 'digest' | 'size' | 'mediaType'>;

/** A registry of one repository, in memory: contents by digest, and tags. */
export class MemoryRegistry implements Registry {
  readonly #contents = new Map<string, Uint8Array>();
  readonly #tags = new Map<string, string>();
  readonly #failures = new Map<string, ErrorCode>();
  readonly #referrers = new Map<string, Descriptor[]>();
  /** What was asked for, in order. */
  readonly asked: string[] = [];

  /** Anything but bytes and texts becomes JSON. */
  push(content: unknown, mediaType = OCI_MANIFEST): Pushed {
    const bytes =
      content instanceof Uint8Array
        ? content
        : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    this.#contents.set(digest, bytes);
    return { digest, mediaType, size: bytes.length };
  }

  /** An image with this config. */
  pushImage(config: unknown, mediaType = OCI_CONFIG): Pushed {
    const pushed = this.push(config, mediaType);
    return this.push({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: pushed, layers: [] });
  }

  pushIndex(manifests: readonly unknown[]): Pushed {
    return this.push({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX);
  }

  tag(name: string, digest: string): void {
    this.#tags.set(name, digest);
  }

  refer(subject: string, descriptor: Descriptor): void {
    this.#referrers.set(subject, [...(this.#referrers.get(subject) ?? []), descriptor]);
  }

  /** From now on what is asked for a tag or digest fails. */
  fail(reference: string, code: ErrorCode = 'registry-unavailable'): void {
    this.#failures.set(reference, code);
  }

  manifest(_repository: unknown, reference: string) {
    return this.#answer(reference, () => {
      const digest = this.#tags.get(reference) ?? reference;
      const bytes = this.#contents.get(digest);
      return bytes && { digest, mediaType: OCI_MANIFEST, bytes };
    });
  }

  blob(_repository: unknown, { digest }: Pick<Descriptor, 'digest'>) {
    return this.#answer(digest, () => this.#contents.get(digest));
  }

  referrers(_repository: unknown, digest: string) {
    return this.#answer(`referrers of ${digest}`, () => this.#referrers.get(digest) ?? []);
  }

  async #answer<T>(reference: string, find: () => T): Promise<T> {
    this.asked.push(reference);
    await Promise.resolve();
    const code = this.#failures.get(reference);
    if (code !== undefined) throw new ImageCheckerError(code, { message: `no ${reference}` });
    return find();
  }
}

export function contextOf(registry: Registry): VerifyContext {
  return { registry, signal: new AbortController().signal, now: () => NOW };
}

/** The image as it was resolved, by its digest unless the reference is given. */
export async function resolve(
  registry: MemoryRegistry,
  digest: string,
  written = `registry.example.com/team/app@${digest}`,
): Promise<ResolvedImage> {
  const parsed = parseImageReference(written);
  const manifest = await registry.manifest(undefined, digest);
  if (!parsed.ok || manifest === undefined) throw new Error(`cannot resolve ${written}`);
  return { reference: parsed.reference, digest, manifest };
}
