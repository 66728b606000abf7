import { celList, celMap, isCelList, isCelMap } from '@bufbuild/cel';
import type { CelInput, CelValue } from '@bufbuild/cel';

/**
 * JSON as CEL sees it, converted where it is looked at and once: the library would copy an object
 * whenever one of its fields is read.
 */
export class JsonValues {
  readonly #values = new WeakMap<object, CelInput>();

  /** @param value of JSON; numbers become doubles, as in every CEL that reads JSON */
  of(value: unknown): CelInput {
    if (typeof value !== 'object' || value === null) return value as CelInput;
    const known = this.#values.get(value);
    if (known !== undefined) return known;
    const converted = Array.isArray(value)
      ? celList(value.map((item) => this.of(item)))
      : celMap(new ObjectMap(value, this));
    this.#values.set(value, converted);
    return converted;
  }
}

/** An object as a map of its own keys: nothing is inherited, `__proto__` is a key like any other. */
class ObjectMap implements ReadonlyMap<string, CelInput> {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #values: JsonValues;
  #keys: readonly string[] | undefined;

  constructor(object: object, values: JsonValues) {
    this.#object = object as Record<string, unknown>;
    this.#values = values;
  }

  get size(): number {
    return this.#names().length;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#object, key);
  }

  get(key: string): CelInput | undefined {
    return this.has(key) ? this.#values.of(this.#object[key]) : undefined;
  }

  forEach(visit: (value: CelInput, key: string, map: ReadonlyMap<string, CelInput>) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }

  keys(): MapIterator<string> {
    return this.#names().values();
  }

  *entries(): MapIterator<[string, CelInput]> {
    for (const key of this.#names()) yield [key, this.#values.of(this.#object[key])];
  }

  *values(): MapIterator<CelInput> {
    for (const [, value] of this) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries();
  }

  #names(): readonly string[] {
    this.#keys ??= Object.keys(this.#object);
    return this.#keys;
  }
}

/** Characters that cost as much to look at as one value. */
const CHARACTERS_A_UNIT = 64;

/** How much there is to compare in a value, whatever lies in it; told once for each. */
export class Weights {
  readonly #weights = new WeakMap<object, number>();

  of(value: CelValue | undefined): number {
    if (typeof value === 'string') return weightOfText(value);
    if (!isCelList(value) && !isCelMap(value)) return 1;
    const known = this.#weights.get(value);
    if (known !== undefined) return known;
    let weight = 1;
    for (const item of value.values()) weight += this.of(item);
    this.#weights.set(value, weight);
    return weight;
  }
}

export function weightOfText(text: string): number {
  return 1 + Math.floor(text.length / CHARACTERS_A_UNIT);
}
