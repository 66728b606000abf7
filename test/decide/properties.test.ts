import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Decision } from '../../src/decide/decision.ts';
import type { ReviewText } from '../support/policy.ts';
import { ANNOTATION, decide, DIGEST, OTHER_DIGEST, quickPolicyOf } from '../support/policy.ts';
import type { ConditionsText, RuleText, SelectorText, SpecText } from './policy-oracle.ts';
import { oracleDecide } from './policy-oracle.ts';

const registry = fc.constantFrom('docker.io', 'a.com', 'x.a.com', 'a.com:5000', '*.a.com', '*.com');
const pattern = fc.constantFrom(
  ...['**', 'nginx', 'redis:7', 'redis:*', 'docker.io/*', 'docker.io/**', 'a.com/**', 'a.com/team'],
  ...['a.com/team-*', 'a.com/*/nginx', '*.a.com/**', '**/nginx', '**:latest', `**@${DIGEST}`],
  ...[`nginx:1@${DIGEST}`, 'a.com:5000/**', 'team-*/nginx', 'a.com/**/x/*'],
);
const image = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'sha256:abc', 'foo_bar.com/x', 'A/b', 'Nginx', 'a b'),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          '',
          '',
          'docker.io/',
          'index.docker.io/',
          'a.com/',
          'x.a.com/',
          'a.com:5000/',
        ),
        fc.constantFrom('nginx', 'redis', 'team/nginx', 'team-a/nginx', 'team-a', 'team', 'b/x/y'),
        fc.constantFrom('', ':1', ':7', ':latest'),
        fc.constantFrom('', '', `@${DIGEST}`, `@${OTHER_DIGEST}`),
      )
      .map((parts) => parts.join('')),
  },
);
const namespaceGlob = fc.constantFrom('*', 'prod', 'prod-*', 'dev', '*-a', 'kube-system');
const namespace = fc.constantFrom('', 'prod', 'prod-a', 'dev', 'kube-system');
const tag = fc.constantFrom('*', 'latest', '1', '7', '1*', 'v*');

/** Keys of which at least one is there. */
function someOf<T extends object>(keys: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) {
  return fc
    .record<T, never>(keys, { requiredKeys: [] })
    .filter((given) => Object.keys(given).length > 0);
}

function list<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(item, { minLength: 1, maxLength: 3 });
}

const selector = someOf<Required<SelectorText>>({
  namespaces: list(namespaceGlob),
  images: list(pattern),
});
const requirement = someOf<Required<ConditionsText>>({
  registries: list(registry),
  images: list(pattern),
  tags: list(tag),
  digest: fc.constant(true),
  explicitRegistry: fc.constant(true),
});
const prohibition = someOf<Required<NonNullable<RuleText['forbid']>>>({
  registries: list(registry),
  images: list(pattern),
  tags: list(tag),
});
const rule = someOf<Required<Omit<RuleText, 'name' | 'mode' | 'except'>>>({
  match: selector,
  require: requirement,
  forbid: prohibition,
});
const mode = fc.constantFrom<NonNullable<RuleText['mode']>>('enforce', 'enforce', 'warn', 'audit');
const rules = fc
  .array(fc.record({ rule, mode, except: list(selector) }, { requiredKeys: ['rule'] }), {
    maxLength: 6,
  })
  .map((all) => all.map(({ rule: keys, ...rest }, at) => ({ name: `r${at}`, ...keys, ...rest })));
const spec: fc.Arbitrary<SpecText> = fc.record(
  {
    unmatchedImages: fc.constantFrom('deny', 'allow'),
    emptyReviews: fc.constantFrom('deny', 'allow'),
    breakGlass: fc.record(
      { annotation: fc.constant(ANNOTATION), namespaces: list(namespaceGlob) },
      { requiredKeys: ['annotation'] },
    ),
    rules,
  },
  { requiredKeys: ['rules'] },
);
const review: fc.Arbitrary<ReviewText> = fc.record({
  images: fc.array(image, { maxLength: 4 }),
  namespace,
  annotations: fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constantFrom({ [ANNOTATION]: 'INC-1' }, { [ANNOTATION]: '' }) },
  ),
});

/** `image rule` of each violated rule, each once. */
function violated({ violations }: Decision): string[] {
  const pairs = violations.flatMap(({ image: written, rule: of }) =>
    written === undefined || of === undefined ? [] : [`${written} ${of.name}`],
  );
  return [...new Set(pairs)].sort();
}

describe('any review under any policy', () => {
  it('is decided as the evaluation of the design, written out, decides it', () => {
    let allowed = 0;
    let denied = 0;
    fc.assert(
      fc.property(spec, review, (text, given) => {
        const decision = decide(quickPolicyOf(text), given);
        const expected = oracleDecide(text, given);
        expect({ allowed: decision.allowed, violated: violated(decision) }).toEqual(expected);
        if (expected.allowed) allowed++;
        else denied++;
      }),
      { numRuns: 2_000 },
    );
    // Neither answer is rare, or the comparison would say little.
    expect(Math.min(allowed, denied)).toBeGreaterThan(300);
  });

  it('is decided alike whatever the order of the rules', () => {
    const withOrder = spec.chain((text) =>
      fc.tuple(
        fc.constant(text),
        fc.shuffledSubarray([...text.rules], { minLength: text.rules.length }),
      ),
    );
    fc.assert(
      fc.property(withOrder, review, ([text, order], given) => {
        const one = decide(quickPolicyOf(text), given);
        const other = decide(quickPolicyOf({ ...text, rules: order }), given);
        expect(other.allowed).toBe(one.allowed);
        expect(other.breakGlass).toEqual(one.breakGlass);
        expect(sorted(other)).toEqual(sorted(one));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is decided alike whatever the order of the containers', () => {
    const withOrder = review.chain((given) =>
      fc.tuple(
        fc.constant(given),
        fc.shuffledSubarray([...given.images], { minLength: given.images.length }),
      ),
    );
    fc.assert(
      fc.property(spec, withOrder, (text, [given, images]) => {
        const policy = quickPolicyOf(text);
        const one = decide(policy, given);
        const other = decide(policy, { ...given, images });
        expect(other.allowed).toBe(one.allowed);
        expect(sorted(other)).toEqual(sorted(one));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is never allowed with a violation that denies, and never denied without one', () => {
    fc.assert(
      fc.property(spec, review, (text, given) => {
        const { allowed, violations, breakGlass } = decide(quickPolicyOf(text), given);
        const absolute = violations.some(({ severity }) => severity === 'absolute');
        const enforced = violations.some(({ severity }) => severity === 'enforce');
        expect(allowed).toBe(!absolute && (!enforced || breakGlass?.accepted === true));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is not let pass by one more enforced rule that covers an image already covered', () => {
    fc.assert(
      fc.property(spec, rule, review, (text, more, given) => {
        const covered = {
          ...text,
          rules: [...text.rules, { name: 'all', match: { images: ['**'] } }],
        };
        const stricter = { ...covered, rules: [...covered.rules, { name: 'more', ...more }] };
        const before = decide(quickPolicyOf(covered), given);
        const after = decide(quickPolicyOf(stricter), given);
        expect(after.allowed && !before.allowed).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

function sorted({ violations }: Decision): string[] {
  return violations.map((violation) => JSON.stringify(violation)).sort();
}
