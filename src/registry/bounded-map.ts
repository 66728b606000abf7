/** A map that forgets the entry that was set first when it would grow beyond its bound. */
export class BoundedMap<V> {
  readonly #entries = new Map<string, V>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const [first] = this.#entries.keys();
    if (this.#entries.size > this.#most && first !== undefined) this.#entries.delete(first);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
