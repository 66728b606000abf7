import { celEnv, celFunc, celList, celMethod, CelScalar, isCelList, isCelMap } from '@bufbuild/cel';
import type { CelEnv, CelFunc, CelValue } from '@bufbuild/cel';
import { listType } from '@bufbuild/cel';
import { RE2JS } from 're2js';
import { Weights, weightOfText } from './cel-values.ts';

/*
 * What an expression may cost. CEL always ends, but not soon: two `all` within each other over a
 * list of the predicate are as many steps as the square of what somebody else wrote. So every
 * function costs one unit and what its texts are long, a comparison what it compares, a
 * comprehension what it goes over; and beyond the budget the evaluation is broken off. As errors
 * of CEL are values, which `||` and `exists` may swallow, this is an exception.
 */

/** Units; about a second at worst, and some ten passes over the packages of a large SBOM. */
const BUDGET = 1_000_000;
/** An item of a list costs more than a function: all of an expression that has no price comes with it. */
const ITEM = 4;
/** UTF-16 units. A pattern is applied to names and versions, not to documents. */
const MAX_MATCHED = 64 * 1024;
const MAX_PATTERN = 1024;
/** Compiled patterns that are kept: those of the expression, and some that come out of a predicate. */
const MAX_PATTERNS = 16;

/** The functions that stand in a rewritten expression, by names that nobody can write. */
export const RANGE = '@range';
export const APPEND = '@append';

/** Thrown through the library, which swallows errors of functions but not of what calls them. */
class CostExceeded extends Error {}

/** The budget of one evaluation. */
export class Meter {
  #left = 0;

  start(): void {
    this.#left = BUDGET;
  }

  get isExceeded(): boolean {
    return this.#left < 0;
  }

  charge(units: number): void {
    this.#left -= units;
    if (this.isExceeded) throw new CostExceeded();
  }
}

/** The functions of CEL's standard, each with its price. */
export function meteredEnv(meter: Meter): CelEnv {
  const weights = new Weights();
  const own = [matchesWithin(), rangeFunction(), appendFunction()];
  const free = celEnv({ funcs: own });
  const funcs = [...free.funcs].map((func) => withPrice(func, meter, weights));
  return celEnv({ funcs });
}

type Call = CelFunc['call'];

function withPrice(func: CelFunc, meter: Meter, weights: Weights): CelFunc {
  const call: Call = (id, target, args) => {
    const result = func.call(id, target, args);
    if (result !== undefined) meter.charge(priceOf(func.name, target, args, weights));
    return result;
  };
  return Object.create(func, { call: { value: call } }) as CelFunc;
}

function priceOf(
  name: string,
  target: CelValue | undefined,
  args: readonly CelValue[],
  weights: Weights,
): number {
  switch (name) {
    case '_==_':
    case '_!=_':
      return Math.min(weights.of(args[0]), weights.of(args[1]));
    case '@in':
      return isCelList(args[1]) ? weights.of(args[1]) : 1;
    case RANGE:
      return rangeOf(args[0]);
    case 'matches':
      return typeof target === 'string' ? 1 + target.length : 1;
    default:
      return [target, ...args].reduce<number>((sum, value) => sum + lengthOf(value), 1);
  }
}

function lengthOf(value: CelValue | undefined): number {
  if (typeof value === 'string') return weightOfText(value) - 1;
  return value instanceof Uint8Array ? value.length : 0;
}

function rangeOf(value: CelValue | undefined): number {
  return isCelList(value) || isCelMap(value) ? 1 + ITEM * value.size : 1;
}

const { BOOL, DYN, STRING } = CelScalar;

/** The standard's own `matches`, bounded: RE2 needs time for every character and state. */
function matchesWithin(): CelFunc {
  const compiled = new Map<string, RE2JS>();
  return celMethod('matches', STRING, [STRING], BOOL, function (pattern) {
    if (this.length > MAX_MATCHED) throw new Error(`matches: a text of ${this.length} characters`);
    if (pattern.length > MAX_PATTERN) throw new Error('matches: a pattern that is too long');
    let regex = compiled.get(pattern);
    if (regex === undefined) {
      regex = RE2JS.compile(pattern);
      if (compiled.size < MAX_PATTERNS) compiled.set(pattern, regex);
    }
    return regex.matcher(this).find();
  });
}

/** What a comprehension goes over, as it is; the price is the point. */
function rangeFunction(): CelFunc {
  return celFunc(RANGE, [DYN], DYN, (range) => range);
}

/**
 * Adds to the list that `map` and `filter` gather. The library makes a new list of lists at each
 * step, which takes a stack as deep as the list is long. Nobody else sees the list before it is whole.
 */
function appendFunction(): CelFunc {
  const gathered = new WeakMap<object, CelValue[]>();
  const list = listType(DYN);
  return celFunc(APPEND, [list, list], list, (gathering, items) => {
    const known = gathered.get(gathering);
    if (known !== undefined) {
      known.push(...items);
      return gathering;
    }
    const array = [...gathering, ...items];
    const started = celList(array);
    gathered.set(started, array);
    return started;
  });
}
