import { unavailable } from '../registry/failure.ts';
import type { Descriptor, Manifest, Registry, Repository } from '../registry/registry.ts';

/** Bytes that are kept of what one verification was answered. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A registry that keeps its answers, so that the same can be judged again without asking. */
export class RememberingRegistry implements Registry {
  readonly #registry: Registry;
  readonly #answers = new Map<string, Promise<unknown>>();
  #bytes = 0;
  #open = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  readonly manifest: Registry['manifest'] = (repository, reference, signal) =>
    this.#remember(keyOf(repository, `manifest ${reference}`), sizeOf, () =>
      this.#registry.manifest(repository, reference, signal),
    );

  readonly blob: Registry['blob'] = (repository, descriptor, signal) =>
    this.#remember(
      keyOf(repository, `blob ${descriptor.digest} ${descriptor.size}`),
      (bytes) => bytes?.byteLength ?? 0,
      () => this.#registry.blob(repository, descriptor, signal),
    );

  readonly referrers: Registry['referrers'] = (repository, digest, signal) =>
    this.#remember(keyOf(repository, `referrers ${digest}`), sizeOfAll, () =>
      this.#registry.referrers(repository, digest, signal),
    );

  /** Whether something was asked that has no answer yet. */
  get isAsked(): boolean {
    return this.#open > 0;
  }

  /** What answers from memory alone, and to anything else with `registry-unavailable`. */
  replay(): Registry {
    const answers = this.#answers;
    const answer = <T>(key: string): Promise<T> => {
      const known = answers.get(key);
      if (known !== undefined) return known as Promise<T>;
      const why = `expected an answer that is remembered, got a question for ${key}`;
      return Promise.reject(unavailable(why));
    };
    return {
      manifest: (repository, reference) => answer(keyOf(repository, `manifest ${reference}`)),
      blob: (repository, { digest, size }) => answer(keyOf(repository, `blob ${digest} ${size}`)),
      referrers: (repository, digest) => answer(keyOf(repository, `referrers ${digest}`)),
    };
  }

  #remember<T>(key: string, bytesOf: (answer: T) => number, ask: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known !== undefined) return known as Promise<T>;
    this.#open++;
    const asked = ask()
      .finally(() => this.#open--)
      .then((answer) => {
        this.#bytes += bytesOf(answer);
        if (this.#bytes > MAX_BYTES) this.#answers.delete(key);
        return answer;
      });
    this.#answers.set(key, asked);
    return asked;
  }
}

function keyOf({ registry, repository }: Repository, question: string): string {
  return `${registry}/${repository} ${question}`;
}

function sizeOf(manifest: Manifest | undefined): number {
  return manifest?.bytes.byteLength ?? 0;
}

/** Of a descriptor in memory, near enough. */
const DESCRIPTOR_BYTES = 1024;

function sizeOfAll(descriptors: readonly Descriptor[]): number {
  return descriptors.length * DESCRIPTOR_BYTES;
}
