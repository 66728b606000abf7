import type { ImagePattern } from '../parse/image-pattern.ts';
import {
  eachWithin,
  globContains,
  patternContains,
  registryContains,
  selectorContains,
} from './containment.ts';
import { asksRegistry } from './on-error-schema.ts';
import type { RuleSpec } from './schema.ts';

const STRICTNESS = { audit: 0, warn: 1, enforce: 2 } as const;

/** Whether the rule, which asks something, adds nothing: all that it finds, the other finds. */
export function isShadowedBy(rule: RuleSpec, other: RuleSpec): boolean {
  return (
    other.except === undefined &&
    saysNoMore(rule, other) &&
    selectorContains(other.match, rule.match, 'as-written') &&
    requiresNoMore(rule.require ?? {}, other.require ?? {}) &&
    forbidsNoMore(rule.forbid ?? {}, other.forbid ?? {})
  );
}

/** A message of its own is something that the other does not say. */
function saysNoMore(rule: RuleSpec, other: RuleSpec): boolean {
  const silent = rule.message === undefined || rule.message === other.message;
  return silent && STRICTNESS[other.mode] >= STRICTNESS[rule.mode];
}

export function asksSomething({ require, forbid }: RuleSpec): boolean {
  return require !== undefined || forbid !== undefined;
}

type Requirement = NonNullable<RuleSpec['require']>;
type Prohibition = NonNullable<RuleSpec['forbid']>;

/** What the other requires is narrower, key by key. Of what a registry is asked nothing is claimed. */
function requiresNoMore(rule: Requirement, other: Requirement): boolean {
  return (
    !asksRegistry(rule) &&
    within(other.registries, rule.registries, registryContains) &&
    within(other.images, rule.images, (one, two) => patternsContain(one, two, 'as-proof')) &&
    within(other.tags, rule.tags, globContains) &&
    (rule.digest === undefined || other.digest === true) &&
    (rule.explicitRegistry === undefined || other.explicitRegistry === true)
  );
}

/** What the other forbids is wider, key by key. */
function forbidsNoMore(rule: Prohibition, other: Prohibition): boolean {
  return (
    wider(other.registries, rule.registries, registryContains) &&
    wider(other.images, rule.images, (one, two) => patternsContain(one, two, 'as-written')) &&
    wider(other.tags, rule.tags, globContains)
  );
}

function patternsContain(
  outer: ImagePattern,
  inner: ImagePattern,
  reading: 'as-proof' | 'as-written',
): boolean {
  return patternContains(outer, inner, { outer: reading, inner: reading });
}

type Contains<T> = (outer: T, inner: T) => boolean;

function within<T>(
  narrow: readonly T[] | undefined,
  wide: readonly T[] | undefined,
  contains: Contains<T>,
): boolean {
  return wide === undefined || (narrow !== undefined && eachWithin(narrow, wide, contains));
}

function wider<T>(
  wide: readonly T[] | undefined,
  narrow: readonly T[] | undefined,
  contains: Contains<T>,
): boolean {
  return narrow === undefined || (wide !== undefined && eachWithin(narrow, wide, contains));
}
