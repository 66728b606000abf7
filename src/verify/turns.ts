import { Limiter } from '../registry/limiter.ts';

/** Verifications that run at a time: each may hold some 40 MiB, and the service has 1 GiB. */
const MAX_RUNNING = 32;
/** Of those, about images of one registry: one that hangs must not keep all others waiting. */
const MAX_RUNNING_PER_REGISTRY = 8;
/** Of those, about images of all registries that nobody has named: hosts that hang are made up easily. */
const MAX_RUNNING_UNNAMED = 16;

/** The turns of verifications: some at a time, and some of one registry. */
export class Turns {
  readonly #isNamed: (registry: string) => boolean;
  readonly #total = new Limiter(MAX_RUNNING);
  readonly #unnamed = new Limiter(MAX_RUNNING_UNNAMED);
  readonly #byRegistry = new Map<string, Limiter>();

  /** @param isNamed whether the config names a registry: places are kept for these */
  constructor(isNamed: (registry: string) => boolean) {
    this.#isNamed = isNamed;
  }

  /**
   * @returns undefined when the signal ended before it was its turn, or when the task takes no
   *   notice of its end
   */
  async take<T>(
    registry: string,
    signal: AbortSignal,
    task: () => Promise<T>,
  ): Promise<T | undefined> {
    const limiter = this.#byRegistry.get(registry) ?? new Limiter(MAX_RUNNING_PER_REGISTRY);
    this.#byRegistry.set(registry, limiter);
    const run = () => this.#total.run(signal, task);
    const runUnnamed = () => this.#unnamed.run(signal, run);
    try {
      return await limiter.run(signal, this.#isNamed(registry) ? run : runUnnamed);
    } finally {
      if (limiter.isIdle) this.#byRegistry.delete(registry);
    }
  }
}
