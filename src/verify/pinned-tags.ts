import type { Manifest, Registry, Repository } from '../registry/registry.ts';

/** What a tag points at. */
export interface TagTarget {
  readonly digest: string;
  /** Where it has just been fetched. */
  readonly manifest: Manifest | undefined;
}

/**
 * The registry as one review sees it: a tag is resolved once, and whoever asks for it again gets
 * what it pointed at then.
 */
export class PinnedTags implements Registry {
  readonly #registry: Registry;
  /** Digests alone: manifests are large, and a review may hold many tags. */
  readonly #digests = new Map<string, Promise<string | undefined>>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Undefined when it points at nothing. */
  async resolve(
    repository: Repository,
    tag: string,
    signal: AbortSignal,
  ): Promise<TagTarget | undefined> {
    const key = `${repository.registry}/${repository.repository}:${tag}`;
    const known = this.#digests.get(key);
    if (known !== undefined) {
      const digest = await known;
      return digest === undefined ? undefined : { digest, manifest: undefined };
    }
    const asked = this.#registry.manifest(repository, tag, signal);
    const digested = asked.then((manifest) => manifest?.digest);
    // Who asked first is told; nobody else may be there to be.
    digested.catch(() => undefined);
    this.#digests.set(key, digested);
    const manifest = await asked;
    return manifest && { digest: manifest.digest, manifest };
  }

  readonly manifest: Registry['manifest'] = async (repository, reference, signal) => {
    // No tag holds a colon, and every digest does.
    if (reference.includes(':')) return this.#registry.manifest(repository, reference, signal);
    const target = await this.resolve(repository, reference, signal);
    if (target === undefined || target.manifest !== undefined) return target?.manifest;
    return this.#registry.manifest(repository, target.digest, signal);
  };

  readonly blob: Registry['blob'] = (...question) => this.#registry.blob(...question);

  readonly referrers: Registry['referrers'] = (...question) =>
    this.#registry.referrers(...question);
}
