import { describe, expect, it } from '@jest/globals';
import type {
  BreakGlassUse,
  Decision,
  RegistryCheck,
  Violation,
} from '../../src/decide/decision.ts';
import { respond, ruleNames } from '../../src/respond/image-review-response.ts';
import { reviewOf } from '../support/policy.ts';

const ID = '4f3c0c1e-0000-4000-8000-000000000001';
const POLICY = { label: 'cluster-policy@0123456789ab' };

function violation(severity: Violation['severity'], rule?: string): Violation {
  return {
    severity,
    image: 'nginx',
    message: 'wrong',
    rule: rule === undefined ? undefined : { name: rule, message: undefined },
  };
}

function answer(given: Partial<Decision>) {
  const decision = { allowed: true, violations: [], checks: [], breakGlass: undefined, ...given };
  return respond(reviewOf(), decision, ID, POLICY);
}

const CHECK: RegistryCheck = {
  image: 'a.com/b:1',
  rule: 'signed',
  outcome: 'passed',
  digest: `sha256:${'0'.repeat(64)}`,
  why: undefined,
  excused: undefined,
};

function annotations(violations: readonly Violation[], breakGlass?: BreakGlassUse): object {
  return answer({ violations, breakGlass }).status.auditAnnotations;
}

const ALWAYS = { 'decision-id': ID, policy: 'cluster-policy@0123456789ab' };

describe('the answer to a review', () => {
  it('is the review with its spec as received, and the status', () => {
    const review = reviewOf({ images: ['a', 'b'], namespace: 'x', annotations: { k: 'v' } });
    const decision = { allowed: true, violations: [], checks: [], breakGlass: undefined };
    expect(respond(review, decision, ID, POLICY)).toEqual({
      apiVersion: 'imagepolicy.k8s.io/v1alpha1',
      kind: 'ImageReview',
      spec: review.spec,
      status: { allowed: true, auditAnnotations: ALWAYS },
    });
  });

  it('has a reason when it denies', () => {
    const { status } = answer({ allowed: false, violations: [violation('enforce', 'r')] });
    expect(status).toEqual({
      allowed: false,
      reason: `nginx: wrong (rule r)\ndecision ${ID}`,
      auditAnnotations: { ...ALWAYS, 'violated-rules': 'r' },
    });
  });

  it.each([
    ['nothing was violated', []],
    ['only what warns was', [violation('warn', 'r')]],
  ])('has no reason when it allows: %s', (_title, violations) => {
    expect(answer({ violations }).status).not.toHaveProperty('reason');
  });
});

describe('the audit annotations', () => {
  it('hold the longest name of a policy with its hash', () => {
    const review = reviewOf({ images: ['a'] });
    const decision = { allowed: true, violations: [], checks: [], breakGlass: undefined };
    const label = `${'a'.repeat(253)}@0123456789ab`;
    const { auditAnnotations } = respond(review, decision, ID, { label }).status;
    expect(auditAnnotations['policy']).toBe(label);
  });

  it.each<[string, Violation[], BreakGlassUse | undefined, object]>([
    ['nothing more when there is nothing', [], undefined, {}],
    [
      'the violated rules',
      [violation('enforce', 'a'), violation('enforce', 'b')],
      undefined,
      { 'violated-rules': 'a,b' },
    ],
    ['the rules that warned', [violation('warn', 'w')], undefined, { 'warned-rules': 'w' }],
    [
      'each rule once',
      [
        violation('enforce', 'a'),
        violation('enforce', 'a'),
        violation('warn', 'w'),
        violation('warn', 'w'),
      ],
      undefined,
      { 'violated-rules': 'a', 'warned-rules': 'w' },
    ],
    ['no rule that only audits', [violation('audit', 'a')], undefined, {}],
    ['no rule for what no rule says', [violation('absolute'), violation('enforce')], undefined, {}],
    [
      'the ticket of break-glass',
      [],
      { accepted: true, ticket: 'INC-1' },
      { 'break-glass': 'INC-1' },
    ],
    ['no ticket that was refused', [], { accepted: false, ticket: 'INC-1', why: 'x' }, {}],
    [
      'the ticket as text',
      [],
      { accepted: true, ticket: 'a\nb\u202e' },
      { 'break-glass': 'a\\u{a}b\\u{202e}' },
    ],
    [
      'what was overridden beside it',
      [violation('enforce', 'a')],
      { accepted: true, ticket: 'INC-1' },
      { 'break-glass': 'INC-1', 'violated-rules': 'a' },
    ],
  ])('hold %s', (_title, violations, breakGlass, expected) => {
    expect(annotations(violations, breakGlass)).toEqual({ ...ALWAYS, ...expected });
  });

  const digest = (hex: string): string => `sha256:${hex.repeat(64)}`;

  it.each<[string, Partial<RegistryCheck>[], object]>([
    [
      'the digest that was judged for a tag, whatever came of it',
      [
        { image: 'docker.io/library/a:1', digest: digest('a') },
        { image: 'docker.io/library/b:1', digest: digest('b'), outcome: 'refused', rule: 'other' },
      ],
      {
        'judged-digests': `docker.io/library/a:1@${digest('a')},docker.io/library/b:1@${digest('b')}`,
      },
    ],
    ['no digest of which the image itself speaks', [{ image: `a.com/b:1@${digest('a')}` }], {}],
    [
      'each digest once',
      [{ digest: digest('a') }, { digest: digest('a'), rule: 'other' }],
      { 'judged-digests': `a.com/b:1@${digest('a')}` },
    ],
    [
      'the rules that were not checked, excused or not, each once',
      [
        { outcome: 'unchecked', excused: 'allow', rule: 'a', digest: undefined },
        { outcome: 'unchecked', rule: 'b', digest: undefined },
        { outcome: 'unasked', rule: 'a', digest: undefined },
        { outcome: 'unasked', rule: 'c', digest: undefined },
      ],
      { 'unchecked-rules': 'a,b,c' },
    ],
  ])('hold %s', (_title, given, expected) => {
    const checks = given.map((one) => ({ ...CHECK, ...one }));
    expect(answer({ checks }).status.auditAnnotations).toEqual({ ...ALWAYS, ...expected });
  });

  it('hold as many digests as are useful, each of them whole', () => {
    const checks = Array.from({ length: 64 }, (_, at) => {
      return { ...CHECK, image: `a.com/team/image-${at}:1`, digest: digest('a') };
    });
    const judged = answer({ checks }).status.auditAnnotations['judged-digests'] ?? '';
    expect(judged.length).toBeLessThanOrEqual(1024);
    const items = judged.split(',');
    expect(items.at(-1)).toBe(`and ${64 - (items.length - 1)} more`);
    expect(items.slice(0, -1).every((item) => item.endsWith('a'.repeat(64)))).toBe(true);
    expect(items.length).toBeGreaterThan(9);
  });

  it('have keys that kube-apiserver takes, and short values of one line', () => {
    const many = Array.from({ length: 500 }, (_, at) => `rule-${at}-${'x'.repeat(50)}`);
    const all = annotations(
      [
        ...many.map((name) => violation('enforce', name)),
        ...many.map((name) => violation('warn', name)),
      ],
      { accepted: true, ticket: '漢\n'.repeat(500) },
    );
    expect(Object.keys(all).sort()).toEqual([
      'break-glass',
      'decision-id',
      'policy',
      'violated-rules',
      'warned-rules',
    ]);
    for (const [key, value] of Object.entries(all)) {
      expect(key).toMatch(/^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/);
      expect(key.length).toBeLessThanOrEqual(63);
      expect(String(value).length).toBeLessThanOrEqual(259);
      expect(value).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]+$/u);
    }
  });
});

describe('the names of the violated rules of a mode', () => {
  it.each([
    ['enforce', 'a,c'],
    ['warn', 'b'],
    ['audit', 'd'],
    ['absolute', ''],
  ] as const)('%s: %s', (mode, expected) => {
    const violations = [
      violation('enforce', 'a'),
      violation('warn', 'b'),
      violation('enforce', 'c'),
      violation('audit', 'd'),
      violation('enforce', 'a'),
      violation('absolute'),
    ];
    expect(ruleNames(violations, mode)).toBe(expected);
  });
});
