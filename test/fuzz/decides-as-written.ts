import assert from 'node:assert/strict';
import { decideReview } from '../../src/decide/decide-review.ts';
import type { Policy } from '../../src/rules/policy.ts';
import { oracleDecide } from '../decide/policy-oracle.ts';
import type { RuleText, SelectorText, SpecText } from '../decide/policy-oracle.ts';
import { DIGEST, LIMITS, reviewOf } from '../support/policy.ts';
import { isWithinOracle } from './oracle-bounds.ts';

const NAMESPACES = ['default', 'prod-a', ''];
const IMAGES = ['nginx', 'docker.io/nginx', 'a.com/x:1', 'b.a.com:5000/x/y', 'foo_bar.com/x', ''];
/** Of the images that a policy speaks of itself, so that its rules have something to take. */
const MAX_OWN_IMAGES = 12;

/**
 * Holds a compiled policy against the oracle's reading of its text, image by image; and, also where
 * the oracle is silent, never allowed with a violation that denies, nor denied without one.
 */
export function expectDecidesAsWritten(spec: SpecText, policy: Policy): void {
  const patterns = patternsOf(spec);
  const speaks = patterns.every(isWithinOracle);
  const own = [...new Set(patterns.flatMap(imagesLike))].slice(0, MAX_OWN_IMAGES);
  const reviews = [...IMAGES, ...own].flatMap((image) =>
    NAMESPACES.map((namespace) => ({ images: [image], namespace, annotations: {} })),
  );
  for (const review of [...reviews, { images: [], namespace: '', annotations: {} }]) {
    const { allowed, violations } = decideReview(reviewOf(review), policy, LIMITS);
    const denied = violations.some(({ severity }) => /^(?:absolute|enforce)$/.test(severity));
    assert.equal(allowed, !denied);
    if (speaks) assert.equal(allowed, oracleDecide(spec, review).allowed, JSON.stringify(review));
  }
}

function patternsOf({ rules }: SpecText): string[] {
  return rules.flatMap(({ match = {}, except = [], require = {}, forbid = {} }: RuleText) => [
    ...[match, ...except].flatMap(textsOf),
    ...[require, forbid].flatMap(({ registries = [], tags = [], images = [] }) => [
      ...[...registries, ...tags, ...images],
    ]),
  ]);
}

function textsOf({ namespaces = [], images = [] }: SelectorText): string[] {
  return [...namespaces, ...images];
}

/** An image that a pattern may take, and others that are close to it. */
function imagesLike(pattern: string): string[] {
  const plain = pattern.replace(/^\*\*/, 'docker.io').replaceAll(/\*+/g, 'a').replace(/^a\./, 'x.');
  return [plain, `${plain}/x:latest`, `${plain}@${DIGEST}`];
}
