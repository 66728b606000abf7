import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { examineReview } from '../../src/decide/decide-review.ts';
import type { Inspection, OpenCheck } from '../../src/decide/inspection.ts';
import { settleReview } from '../../src/decide/settle-review.ts';
import { ImageCheckerError } from '../../src/errors.ts';
import type { OnError } from '../../src/rules/registry-requirement.ts';
import { ANNOTATION, DIGEST, LIMITS, quickPolicyOf, reviewOf } from '../support/policy.ts';
import { askingRegistry, inspectorBy } from '../support/registry-rules.ts';

/** Every way in which an inspector may answer, and what it is worth. */
const WAYS = {
  passes: () => ({ outcome: 'passed', digest: DIGEST }),
  refuses: () => ({ outcome: 'refused', digest: DIGEST, reasons: ['no'] }),
  refusesWithoutReason: () => ({ outcome: 'refused', digest: undefined, reasons: [] }),
  cannotCheck: () => ({ outcome: 'unchecked', digest: undefined, why: '503' }),
  rejects: () => Promise.reject(new ImageCheckerError('registry-unavailable', { message: '503' })),
  throws: () => {
    throw new ImageCheckerError('registry-unavailable', { message: '503' });
  },
  isCheated: () => Promise.reject(new ImageCheckerError('registry-corrupt', { message: 'x' })),
  fails: () => {
    throw new TypeError('x');
  },
  answersNonsense: () => undefined as unknown as Inspection,
  neverAnswers: () => new Promise<never>(() => undefined),
} as const satisfies Record<string, (check: OpenCheck) => Inspection | Promise<Inspection>>;

type Way = keyof typeof WAYS;

/** Nothing was found out, and that is known. */
const WITHOUT_ANSWER: readonly Way[] = ['cannotCheck', 'rejects', 'throws', 'neverAnswers'];

const IMAGES = ['nginx', 'redis', 'a.com/x', `a.com/y@${DIGEST}`, 'a.com/z'];

const way = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Way>('passes') },
  { weight: 4, arbitrary: fc.constantFrom(...(Object.keys(WAYS) as Way[])) },
);
const images = fc.subarray(IMAGES, { minLength: 1 });
const rule = fc.record({
  mode: fc.constantFrom('enforce', 'enforce', 'warn', 'audit'),
  onError: fc.constantFrom<OnError>('deny', 'deny', 'warn', 'allow'),
  asks: fc.constantFrom(true, true, false),
  match: fc.subarray(IMAGES, { minLength: 1 }),
  except: fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.subarray(IMAGES, { minLength: 1, maxLength: 2 }) },
  ),
});
const scene = fc.record({
  rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
  images,
  breaksGlass: fc.constantFrom(false, false, false, true),
  /** For each image, by each rule. */
  ways: fc.array(fc.array(way, { minLength: 5, maxLength: 5 }), { minLength: 4, maxLength: 4 }),
  endsAfter: fc.constantFrom<'nothing' | 'a moment'>('nothing', 'a moment'),
});

type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

function policyOf({ rules }: Scene) {
  const policy = quickPolicyOf({
    unmatchedImages: 'allow',
    breakGlass: { annotation: ANNOTATION },
    rules: rules.map(({ mode, match, except }, at) => ({
      name: `r${at}`,
      mode,
      match: { images: match },
      ...(except.length > 0 ? { except: [{ images: except }] } : {}),
    })),
  });
  const asking = rules.flatMap(({ asks, onError }, at) => (asks ? [[`r${at}`, onError]] : []));
  return askingRegistry(policy, Object.fromEntries(asking) as Record<string, OnError>);
}

function wayOf({ ways }: Scene, image: string, name: string): Way {
  return ways[Number(name.slice(1))]?.[IMAGES.indexOf(image)] ?? 'fails';
}

async function decide(given: Scene) {
  const time = new AbortController();
  if (given.endsAfter === 'nothing') time.abort(new Error('out of time'));
  else
    setImmediate(() => {
      time.abort(new Error('out of time'));
    });
  const inspector = inspectorBy(
    ({ image, rule: { name } }) => WAYS[wayOf(given, image, name)](),
    time.signal,
  );
  const annotations = given.breaksGlass ? { [ANNOTATION]: 'INC-1' } : {};
  const review = reviewOf({ images: given.images, annotations });
  return settleReview(examineReview(review, policyOf(given), LIMITS), inspector);
}

/** What each question of an enforced rule came to, by the words of the design. */
function denyingPairs(given: Scene): string[] {
  return given.rules.flatMap(({ mode, onError, asks, match, except }, at) =>
    given.images
      .filter(
        (image) => asks && mode === 'enforce' && match.includes(image) && !except.includes(image),
      )
      .filter((image) => {
        const answer = wayOf(given, image, `r${at}`);
        return answer !== 'passes' && !(onError !== 'deny' && WITHOUT_ANSWER.includes(answer));
      })
      .map((image) => `${image} r${at}`),
  );
}

describe('any review about which any inspector answers anything', () => {
  it('is allowed when each enforced rule passes or may be excused, or glass is broken, and else denied', async () => {
    const counts = { allowed: 0, denied: 0 };
    const inTime = scene.filter(({ endsAfter }) => endsAfter === 'a moment');
    await fc.assert(
      fc.asyncProperty(inTime, async (given) => {
        const { allowed } = await decide(given);
        expect(allowed).toBe(given.breaksGlass || denyingPairs(given).length === 0);
        counts[allowed ? 'allowed' : 'denied']++;
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(counts.allowed, counts.denied)).toBeGreaterThan(150);
  });

  it('is never allowed with a rule that did not pass and has no excuse, whenever time runs out', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (given) => {
        const { allowed, checks } = await decide(given);
        if (!allowed || given.breaksGlass) return;
        const enforced = given.rules.flatMap(({ mode }, at) =>
          mode === 'enforce' ? [`r${at}`] : [],
        );
        for (const { rule: name, outcome, excused } of checks) {
          if (!enforced.includes(name)) continue;
          expect(outcome === 'passed' || (outcome === 'unchecked' && excused !== undefined)).toBe(
            true,
          );
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('has every question recorded, and what is excused only where the rule says so', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (given) => {
        const { checks } = await decide(given);
        const asked = given.rules.flatMap(({ asks, match, except }) =>
          asks
            ? given.images.filter((image) => match.includes(image) && !except.includes(image))
            : [],
        );
        expect(checks).toHaveLength(asked.length);
        for (const { rule: name, outcome, excused } of checks) {
          const onError = given.rules[Number(name.slice(1))]?.onError;
          const expected = outcome === 'unchecked' && onError !== 'deny' ? onError : undefined;
          expect(excused).toBe(expected);
        }
      }),
      { numRuns: 500 },
    );
  });
});
