import { LRUCache } from 'lru-cache';

/** How long results are kept, in milliseconds, and how much of them. */
export interface CacheSettings {
  /** Of what passed. */
  readonly positive: number;
  /** Of what was refused. */
  readonly negative: number;
  readonly bytes: number;
}

interface Entry {
  readonly refusals: readonly string[];
  readonly from: number;
  readonly until: number;
}

/** Of an entry beside its texts, near enough. */
const ENTRY_BYTES = 256;
const BYTES_PER_CHARACTER = 2;

/** What is known of images, for a time. */
export class VerdictCache {
  readonly #entries: LRUCache<string, Entry> | undefined;
  readonly #settings: CacheSettings;
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(settings: CacheSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
    // A size of 0 would mean that there is no limit.
    this.#entries =
      settings.bytes === 0
        ? undefined
        : new LRUCache({ maxSize: settings.bytes, sizeCalculation: sizeOf });
  }

  /** The refusals that were found, none when it passed; undefined when nothing is known. */
  get(key: string): readonly string[] | undefined {
    const entry = this.#entries?.get(key);
    if (entry === undefined) return undefined;
    const now = this.#now();
    // A clock that was put back makes nothing live longer.
    if (entry.from <= now && now < entry.until) return entry.refusals;
    this.#entries?.delete(key);
    return undefined;
  }

  /** For how long a result is kept. */
  lifetimeOf(refusals: readonly string[]): number {
    return refusals.length === 0 ? this.#settings.positive : this.#settings.negative;
  }

  /** @param from when it was found */
  set(key: string, refusals: readonly string[], from: number): void {
    const lifetime = this.lifetimeOf(refusals);
    if (lifetime > 0) this.#entries?.set(key, { refusals, from, until: from + lifetime });
  }
}

function sizeOf({ refusals }: Entry, key: string): number {
  const characters = refusals.reduce((sum, text) => sum + text.length, key.length);
  return ENTRY_BYTES + BYTES_PER_CHARACTER * characters;
}
