import { describe, expect, it } from '@jest/globals';
import { decideReview, examineReview } from '../../src/decide/decide-review.ts';
import type { Decision, RegistryCheck } from '../../src/decide/decision.ts';
import type { Inspection, Inspector, OpenCheck } from '../../src/decide/inspection.ts';
import { settleReview } from '../../src/decide/settle-review.ts';
import { ImageCheckerError } from '../../src/errors.ts';
import type { Policy } from '../../src/rules/policy.ts';
import type { OnError } from '../../src/rules/registry-requirement.ts';
import { ANNOTATION, DIGEST, LIMITS, OTHER_DIGEST, policyOf, reviewOf } from '../support/policy.ts';
import type { ReviewText } from '../support/policy.ts';
import { askingRegistry, inspectorBy } from '../support/registry-rules.ts';

const passed: Inspection = { outcome: 'passed', digest: DIGEST };
const refused: Inspection = { outcome: 'refused', digest: DIGEST, reasons: ['no valid signature'] };
const unchecked: Inspection = { outcome: 'unchecked', digest: undefined, why: 'status 503' };

/** A rule `signed` that asks the registry about everything, and what else is given. */
function signedPolicy(
  given: { readonly mode?: string; readonly onError?: OnError; readonly except?: object[] } = {},
  spec: { readonly rules?: readonly object[]; readonly breakGlass?: object } = {},
): Policy {
  const { onError = 'deny', ...rest } = given;
  const rule = { name: 'signed', match: { images: ['**'] }, message: 'sign it!', ...rest };
  return askingRegistry(policyOf({ ...spec, rules: [rule, ...(spec.rules ?? [])] }), {
    signed: onError,
  });
}

async function settle(
  policy: Policy,
  inspector: Inspector,
  review: Partial<ReviewText> = {},
): Promise<Decision> {
  return settleReview(examineReview(reviewOf(review), policy, LIMITS), inspector);
}

const CHECK: RegistryCheck = {
  image: 'docker.io/library/nginx:latest',
  rule: 'signed',
  outcome: 'passed',
  digest: DIGEST,
  why: undefined,
  excused: undefined,
};

function violation(severity: string, message: string): object {
  return { severity, image: 'nginx', message, rule: { name: 'signed', message: 'sign it!' } };
}

describe('a review about which a registry is asked', () => {
  it('is allowed when every check passes, and says of which digest', async () => {
    expect(
      await settle(
        signedPolicy(),
        inspectorBy(() => passed),
      ),
    ).toEqual({
      allowed: true,
      violations: [],
      checks: [CHECK],
      breakGlass: undefined,
    });
  });

  it.each([
    ['enforce', false],
    ['warn', true],
    ['audit', true],
  ])('%s: what is refused is a violation, and allowed is %s', async (mode, allowed) => {
    for (const onError of ['deny', 'warn', 'allow'] as const) {
      const decision = await settle(
        signedPolicy({ mode, onError }),
        inspectorBy(() => refused),
      );
      expect(decision).toEqual({
        allowed,
        violations: [violation(mode, 'no valid signature')],
        checks: [{ ...CHECK, outcome: 'refused', why: 'no valid signature' }],
        breakGlass: undefined,
      });
    }
  });

  it.each([
    ['enforce', 'deny', 'enforce', false],
    ['enforce', 'warn', 'warn', true],
    ['enforce', 'allow', undefined, true],
    ['warn', 'deny', 'warn', true],
    ['warn', 'warn', 'warn', true],
    ['warn', 'allow', undefined, true],
    ['audit', 'deny', 'audit', true],
    ['audit', 'warn', 'audit', true],
    ['audit', 'allow', undefined, true],
  ] as const)(
    '%s, onError %s: what could not be checked is a violation of severity %s, and allowed is %s',
    async (mode, onError, severity, allowed) => {
      const decision = await settle(
        signedPolicy({ mode, onError }),
        inspectorBy(() => unchecked),
      );
      const excused = onError === 'deny' ? undefined : onError;
      expect(decision).toEqual({
        allowed,
        violations:
          severity === undefined ? [] : [violation(severity, 'could not check: status 503')],
        checks: [{ ...CHECK, outcome: 'unchecked', digest: undefined, why: 'status 503', excused }],
        breakGlass: undefined,
      });
    },
  );

  it.each([
    ['an answer without reasons', () => ({ ...refused, reasons: [] }), 'refused without a reason'],
    [
      'evidence against the registry',
      () => {
        throw new ImageCheckerError('registry-corrupt', { message: 'expected sha256:a, got b' });
      },
      'expected sha256:a, got b',
    ],
    [
      'a limit of ours',
      () => Promise.reject(new ImageCheckerError('registry-limited', { message: 'no turn' })),
      'no turn',
    ],
    [
      'a fault of ours',
      () => {
        throw new TypeError('secret detail');
      },
      'image-checker failed to check it, see its log',
    ],
    [
      'a rejection with another code',
      () => Promise.reject(new ImageCheckerError('usage', { message: 'secret detail' })),
      'image-checker failed to check it, see its log',
    ],
    [
      'an answer that is none',
      () => undefined as unknown as Inspection,
      'image-checker failed to check it, see its log',
    ],
  ])('is denied, and never excused, by %s', async (_title, answer, message) => {
    const decision = await settle(signedPolicy({ onError: 'allow' }), inspectorBy(answer));
    expect(decision).toMatchObject({
      allowed: false,
      violations: [violation('enforce', message)],
      checks: [{ outcome: 'refused', excused: undefined }],
    });
  });

  it.each([
    ['deny', false],
    ['warn', true],
    ['allow', true],
  ] as const)(
    'onError %s: an answer that does not come in time is none, and allowed is %s',
    async (onError, allowed) => {
      const time = new AbortController();
      const inspector = inspectorBy(({ image }) => {
        if (image === 'redis') return passed;
        time.abort(new Error('no answer within 8 s'));
        return new Promise<never>(() => undefined);
      }, time.signal);
      const decision = await settle(signedPolicy({ onError }), inspector, {
        images: ['redis', 'nginx'],
      });
      expect(decision.allowed).toBe(allowed);
      expect(decision.checks).toMatchObject([
        { outcome: 'passed' },
        { outcome: 'unchecked', why: 'no answer within 8 s' },
      ]);
      expect(inspector.closed()).toBe(1);
    },
  );

  it('has no time for anything when it is over before it begins', async () => {
    const inspector = inspectorBy(() => new Promise<never>(() => undefined), AbortSignal.abort());
    expect((await settle(signedPolicy(), inspector)).allowed).toBe(false);
  });

  it('is denied by one image of several', async () => {
    const inspector = inspectorBy(({ image }) => (image === 'nginx' ? refused : passed));
    const decision = await settle(signedPolicy(), inspector, {
      images: ['redis', 'nginx', 'redis'],
    });
    expect(decision.allowed).toBe(false);
    expect(decision.violations).toEqual([violation('enforce', 'no valid signature')]);
    expect(inspector.asked.map(({ image }) => image)).toEqual(['redis', 'nginx']);
  });

  it('has few of the reasons of an image with many', async () => {
    const reasons = Array.from({ length: 1000 }, (_, at) => `reason ${at}`);
    const inspector = inspectorBy(() => ({ ...refused, reasons }));
    expect((await settle(signedPolicy(), inspector)).violations).toHaveLength(10);
  });

  it('names the digest that is written where the answer names none', async () => {
    const images = [`docker.io/x@${OTHER_DIGEST}`];
    const { checks } = await settle(
      signedPolicy(),
      inspectorBy(() => unchecked),
      { images },
    );
    expect(checks).toMatchObject([{ digest: OTHER_DIGEST }]);
  });

  it('fails as a whole when nothing can be asked at all', async () => {
    const inspector = {
      known: () => undefined,
      open() {
        throw new Error('no more memory');
      },
    };
    await expect(settle(signedPolicy(), inspector)).rejects.toThrow('no more memory');
  });

  it('is decided at once where everything is known, and else asks about everything', async () => {
    const asking = inspectorBy(() => refused);
    const known = new Map<string, Inspection>([
      ['redis', passed],
      ['nginx', refused],
    ]);
    const inspector = { ...asking, known: ({ image }: OpenCheck) => known.get(image) };
    const decided = (images: readonly string[]) =>
      settleReview(examineReview(reviewOf({ images }), signedPolicy(), LIMITS), inspector);
    expect(decided(['redis'])).toMatchObject({ allowed: true, checks: [{ outcome: 'passed' }] });
    expect(decided(['redis', 'nginx'])).toMatchObject({
      allowed: false,
      violations: [violation('enforce', 'no valid signature')],
    });
    expect(asking.asked).toEqual([]);
    expect((await decided(['redis', 'mongo'])).allowed).toBe(false);
    expect(asking.asked.map(({ image }) => image)).toEqual(['redis', 'mongo']);
  });
});

describe('a review about which no registry is asked', () => {
  const breakGlass = { annotation: ANNOTATION };
  const inRegistry = { name: 'in-registry', require: { registries: ['a.com'] } };
  const all = { images: ['**'] };
  const cases: readonly (readonly [
    title: string,
    policy: Policy,
    review: Partial<ReviewText>,
    expected: { readonly allowed: boolean; readonly outcomes: readonly string[] },
  ])[] = [
    [
      'denied by another rule',
      signedPolicy({}, { rules: [inRegistry] }),
      {},
      { allowed: false, outcomes: ['unasked'] },
    ],
    [
      'denied for another image',
      signedPolicy({ except: [{ images: ['redis'] }] }, { rules: [inRegistry] }),
      { images: ['a.com/x', 'redis'] },
      { allowed: false, outcomes: ['unasked'] },
    ],
    [
      'denied for an image that is none',
      signedPolicy(),
      { images: ['nginx', ''] },
      { allowed: false, outcomes: ['unasked'] },
    ],
    [
      'let through by break-glass',
      signedPolicy({}, { breakGlass }),
      { annotations: { [ANNOTATION]: 'INC-1' } },
      { allowed: true, outcomes: ['unasked'] },
    ],
    ['of exempt images', signedPolicy({ except: [all] }), {}, { allowed: true, outcomes: [] }],
    [
      'of images that the rule does not cover',
      signedPolicy({}),
      { images: [] },
      { allowed: false, outcomes: [] },
    ],
  ];

  it.each(cases)('%s', async (_title, policy, review, expected) => {
    const inspector = inspectorBy(() => refused);
    const decision = await settle(policy, inspector, review);
    const outcomes = decision.checks.map(({ outcome }) => outcome);
    expect({ allowed: decision.allowed, outcomes }).toEqual(expected);
    expect(decision.violations.filter(({ rule }) => rule?.name === 'signed')).toEqual([]);
    expect(inspector.asked).toEqual([]);
  });

  it('is none that only warns', async () => {
    const inspector = inspectorBy(() => passed);
    const rules = [{ ...inRegistry, mode: 'warn' }];
    expect((await settle(signedPolicy({}, { rules }), inspector)).allowed).toBe(true);
    expect(inspector.asked).toHaveLength(1);
  });

  it('is none whose break-glass is refused', async () => {
    const inspector = inspectorBy(() => refused);
    const annotations = { [ANNOTATION]: '' };
    const decision = await settle(signedPolicy({}, { breakGlass }), inspector, { annotations });
    expect(decision.allowed).toBe(false);
    expect(inspector.asked).toHaveLength(1);
  });

  it.each([
    ['enforce', false],
    ['warn', true],
    ['audit', true],
  ])('%s: is not let pass for want of anybody to ask: allowed is %s', (mode, allowed) => {
    for (const onError of ['deny', 'warn', 'allow'] as const) {
      const policy = signedPolicy({ mode, onError });
      expect(decideReview(reviewOf(), policy, LIMITS)).toEqual({
        allowed,
        violations: [{ ...violation(mode, 'not checked: needs the registry'), unasked: true }],
        checks: [{ ...CHECK, outcome: 'unasked', digest: undefined }],
        breakGlass: undefined,
      });
    }
  });
});

describe('a review of many images', () => {
  const images = Array.from({ length: 70 }, (_, at) => `x${at}`);

  it.each([
    ['enforce', false, 0],
    ['warn', true, 64],
    ['audit', true, 64],
  ])('%s: has 64 of them asked about at most: allowed is %s', async (mode, allowed, asked) => {
    const inspector = inspectorBy(() => passed);
    const decision = await settle(signedPolicy({ mode, onError: 'allow' }), inspector, { images });
    expect(decision.allowed).toBe(allowed);
    expect(decision.violations).toHaveLength(6);
    expect(decision.violations[0]).toMatchObject({ severity: mode, image: 'x64' });
    expect(inspector.asked).toHaveLength(asked);
  });

  it('has all of them asked about where they are no more', async () => {
    const inspector = inspectorBy((check: OpenCheck) => (check.image === 'x63' ? refused : passed));
    const decision = await settle(signedPolicy(), inspector, { images: images.slice(0, 64) });
    expect(decision.violations).toMatchObject([{ image: 'x63', message: 'no valid signature' }]);
    expect(inspector.asked).toHaveLength(64);
  });
});
