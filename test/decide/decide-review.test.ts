import { describe, expect, it } from '@jest/globals';
import { decideReview } from '../../src/decide/decide-review.ts';
import {
  ANNOTATION,
  decide,
  decideImage,
  DIGEST,
  policyOf,
  policyOfRule,
  reviewOf,
} from '../support/policy.ts';

const EVERYTHING = { unmatchedImages: 'allow', rules: [] };
const HEX = 'a'.repeat(64);

describe('the mode of a rule', () => {
  const violating = { require: { registries: ['a.com'] } };
  const message = 'registry docker.io is none of a.com';
  const rule = { name: 'the-rule', message: 'ask the platform team' };

  it.each([
    ['enforce', false],
    [undefined, false],
    ['warn', true],
    ['audit', true],
  ])('%s: a violation is reported, and allowed is %s', (mode, allowed) => {
    const policy = policyOfRule({ ...violating, mode, message: rule.message });
    expect(decideImage(policy, 'nginx')).toEqual({
      allowed,
      violations: [{ severity: mode ?? 'enforce', image: 'nginx', message, rule }],
      checks: [],
      breakGlass: undefined,
    });
  });

  it.each(['enforce', 'warn', 'audit'])(
    '%s: an image that passes has nothing said of it',
    (mode) => {
      expect(decideImage(policyOfRule({ ...violating, mode }), 'a.com/x')).toEqual({
        allowed: true,
        violations: [],
        checks: [],
        breakGlass: undefined,
      });
    },
  );

  it.each([
    [['warn', 'audit'], true],
    [['audit', 'warn', 'audit'], true],
    [['enforce', 'warn'], false],
    [['audit', 'enforce'], false],
    [['warn', 'audit', 'enforce', 'warn'], false],
  ])('%j: one enforced rule denies, whatever the others: allowed is %s', (modes, allowed) => {
    const rules = modes.map((mode, at) => ({ name: `r${at}`, mode, ...violating }));
    const decision = decideImage(policyOf({ rules }), 'nginx');
    expect(decision.allowed).toBe(allowed);
    expect(decision.violations.map(({ severity }) => severity).sort()).toEqual([...modes].sort());
  });

  it('warn and audit do not turn what nothing may override', () => {
    for (const mode of ['warn', 'audit']) {
      const policy = policyOfRule({ mode, match: { images: ['**'] } });
      expect(decideImage(policy, 'foo_bar.com/x').allowed).toBe(false);
    }
  });
});

describe('an image that is denied whatever the rules say', () => {
  const LOCAL_ID = 'a node may take this for the id of an image it already has';
  const EMPTY_REGISTRY = 'the part before the first / is no valid registry';
  const rows: readonly (readonly [image: string, message: string])[] = [
    ['', 'expected an image, got an empty string'],
    [' ', 'invalid reference format'],
    ['Nginx', 'must be lowercase'],
    ['nginx:', 'invalid reference format'],
    ['a.com/X', 'must be lowercase'],
    ['nginx@sha256:abc', 'invalid reference format'],
    [`nginx@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
    [HEX, 'cannot specify 64-byte hexadecimal strings'],
    [`a.com/${'a'.repeat(256)}`, 'must not be more than 255 characters'],
    [`sha256:${HEX}`, LOCAL_ID],
    ['sha256:', LOCAL_ID],
    ['sha256:a', LOCAL_ID],
    ['sha256:ABCDEF', LOCAL_ID],
    ['sha384:00', LOCAL_ID],
    [`sha512:${HEX}${HEX}`, LOCAL_ID],
    ['foo_bar.com/x', EMPTY_REGISTRY],
    ['a_b.com/nginx:1', EMPTY_REGISTRY],
    [`docker_io.x/library/nginx@${DIGEST}`, EMPTY_REGISTRY],
    ['a'.repeat(4097), 'expected at most 4096 characters, got 4097'],
    [`${'a.'.repeat(2100)}com/x`, 'expected at most 4096 characters, got 4205'],
  ];

  it.each(rows)('is %s', (image, message) => {
    const decision = decideImage(policyOf(EVERYTHING), image);
    expect(decision).toMatchObject({ allowed: false, violations: [{ image, rule: undefined }] });
    expect(decision.violations[0]?.severity).toBe('absolute');
    expect(decision.violations[0]?.message).toContain(message);
  });

  it.each(rows)('stays denied under break-glass: %s', (image) => {
    const policy = policyOf({ ...EVERYTHING, breakGlass: { annotation: ANNOTATION } });
    const annotations = { [ANNOTATION]: 'INC-1' };
    expect(decide(policy, { images: [image], annotations })).toMatchObject({
      allowed: false,
      breakGlass: { accepted: true, ticket: 'INC-1' },
    });
    expect(decide(policy, { images: ['nginx', image], annotations }).allowed).toBe(false);
  });

  it.each([
    ['an exemption of everything', { except: [{ namespaces: ['*'], images: ['**'] }] }],
    ['a rule that matches everything', { match: { images: ['**'] } }],
    ['a rule of mode audit', { mode: 'audit' }],
  ])('stays denied under %s', (_title, rule) => {
    const policy = policyOfRule({ require: { digest: true }, ...rule });
    for (const [image] of rows) expect(decideImage(policy, image).allowed).toBe(false);
  });

  it.each([
    'nginx',
    'sha256',
    'library/sha256:abc',
    'docker.io/library/sha256:abc',
    'a.com/sha256:abc',
    'sha256:xyz',
    'sha1:abc',
    'foo-bar.com/x',
    'FOO/x',
    'a'.repeat(63),
    'a'.repeat(65),
    'a.com/'.padEnd(200, 'a'),
  ])('is not %s', (image) => {
    expect(decideImage(policyOf(EVERYTHING), image)).toMatchObject({
      allowed: true,
      violations: [],
    });
  });

  it('may be as long as a reference ever is', () => {
    const image = `${'a.'.repeat(2046)}x/y`;
    expect(image).toHaveLength(4095);
    expect(decideImage(policyOf(EVERYTHING), `${image}z`).allowed).toBe(true);
    expect(decideImage(policyOf(EVERYTHING), `${image}zz`).allowed).toBe(false);
  });
});

describe('a review of several images', () => {
  const policy = policyOf({
    rules: [
      { name: 'registries', require: { registries: ['docker.io', 'a.com'] } },
      { name: 'no-latest', forbid: { tags: ['latest'] }, message: 'name a version' },
      { name: 'pinned', mode: 'warn', require: { digest: true } },
    ],
  });

  function told(images: readonly string[]): string[] {
    return decide(policy, { images }).violations.map(
      ({ image, rule }) => `${image ?? '-'} ${rule?.name ?? '-'}`,
    );
  }

  it('is allowed when every image is', () => {
    const images = ['nginx:1', 'a.com/x:1', `a.com/y@${DIGEST}`];
    expect(decide(policy, { images }).allowed).toBe(true);
    expect(told(images)).toEqual(['nginx:1 pinned', 'a.com/x:1 pinned']);
  });

  it.each([0, 1, 2, 3])('is denied when the one at %i is', (at) => {
    const images = ['nginx:1', 'a.com/x:1', 'redis:7'];
    images.splice(at, 0, 'evil.com/x:1');
    expect(decide(policy, { images }).allowed).toBe(false);
  });

  it('has everything reported that is wrong with any of them', () => {
    expect(told(['nginx', 'evil.com/x', 'a.com/x:1', '', 'sha256:a', 'foo_bar.com/x'])).toEqual([
      'nginx no-latest',
      'nginx pinned',
      'evil.com/x registries',
      'evil.com/x no-latest',
      'evil.com/x pinned',
      'a.com/x:1 pinned',
      ' -',
      'sha256:a -',
      'foo_bar.com/x -',
    ]);
  });

  it('has an image that stands there twice judged once', () => {
    expect(told(['nginx', 'nginx', 'nginx'])).toEqual(['nginx no-latest', 'nginx pinned']);
    expect(decide(policy, { images: ['nginx', 'nginx'] }).allowed).toBe(false);
  });

  it('has the same image in two spellings judged twice', () => {
    expect(told(['nginx', 'docker.io/nginx'])).toHaveLength(4);
  });

  it('is denied as a whole when it is too long', () => {
    const images = Array.from({ length: 4 }, (_, at) => `a.com/x${at}@${DIGEST}`);
    const decideLimited = (count: number) =>
      decideReview(reviewOf({ images: images.slice(0, count) }), policy, { containers: 3 });
    expect(decideLimited(3).allowed).toBe(true);
    expect(decideLimited(4)).toMatchObject({
      allowed: false,
      violations: [
        {
          severity: 'absolute',
          image: undefined,
          message: 'expected at most 3 containers, got 4',
          rule: undefined,
        },
      ],
    });
  });

  it.each([
    [12_000, true],
    [12_001, false],
  ])('with %d annotations is let through: %j', (count, allowed) => {
    const annotations = Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`${at}.image-policy.k8s.io/x`, '']),
    );
    const decision = decideReview(
      reviewOf({ annotations }),
      policyOf({ unmatchedImages: 'allow', rules: [] }),
      {
        containers: 3,
      },
    );
    expect(decision.allowed).toBe(allowed);
    expect(decision.violations.map(({ severity, message }) => `${severity}: ${message}`)).toEqual(
      allowed ? [] : ['absolute: expected at most 12000 annotations, got 12001'],
    );
  });

  it('is too long by its containers, not by its images', () => {
    const images = Array.from({ length: 4 }, () => `a.com/x@${DIGEST}`);
    expect(decideReview(reviewOf({ images }), policy, { containers: 3 }).allowed).toBe(false);
  });

  it('stays too long under break-glass', () => {
    const open = policyOf({ ...EVERYTHING, breakGlass: { annotation: ANNOTATION } });
    const review = reviewOf({ images: ['a', 'b'], annotations: { [ANNOTATION]: 'x' } });
    expect(decideReview(review, open, { containers: 1 }).allowed).toBe(false);
  });
});

describe('a review without containers', () => {
  it.each([
    [{}, false],
    [{ emptyReviews: 'deny' }, false],
    [{ unmatchedImages: 'allow' }, false],
    [{ emptyReviews: 'deny', unmatchedImages: 'allow' }, false],
    [{ emptyReviews: 'allow' }, true],
  ])('under %j: allowed is %s', (spec, allowed) => {
    const decision = decide(policyOf({ rules: [], ...spec }), { images: [] });
    expect(decision.allowed).toBe(allowed);
    expect(decision.violations).toEqual(
      allowed
        ? []
        : [
            {
              severity: 'enforce',
              image: undefined,
              message: 'the review names no containers (emptyReviews: deny)',
              rule: undefined,
            },
          ],
    );
  });

  it('is not what a container without an image is', () => {
    expect(decide(policyOf({ rules: [], emptyReviews: 'allow' }), { images: [''] }).allowed).toBe(
      false,
    );
  });
});

describe('an image that several rules touch', () => {
  it('has a rule applied once that matches it by several patterns', () => {
    const policy = policyOfRule({
      match: { images: ['nginx', '**', 'docker.io/**', 'nginx:*', 'docker.io/library/*'] },
      require: { digest: true },
    });
    expect(decideImage(policy, 'nginx').violations).toHaveLength(1);
  });

  it('has a rule applied once that names its namespace several times', () => {
    const policy = policyOfRule({
      match: { namespaces: ['default', 'default', 'other'] },
      require: { digest: true },
    });
    expect(decideImage(policy, 'nginx').violations).toHaveLength(1);
  });

  it('has every rule applied, by whatever it is filed', () => {
    const require = { digest: true };
    const rules = [
      { name: 'everywhere', require },
      { name: 'namespace', match: { namespaces: ['default'] }, require },
      { name: 'namespaces', match: { namespaces: ['def*'] }, require },
      { name: 'mixed', match: { namespaces: ['x', 'd*'] }, require },
      { name: 'image', match: { images: ['nginx'] }, require },
      { name: 'images', match: { images: ['docker.io/**'] }, require },
      { name: 'both', match: { namespaces: ['default'], images: ['**'] }, require },
      { name: 'suffix', match: { images: ['*.io/**'] }, require },
      { name: 'neither', match: { namespaces: ['other'], images: ['nginx'] }, require },
    ];
    const names = decideImage(policyOf({ rules }), 'nginx').violations.map(
      ({ rule }) => rule?.name,
    );
    expect(names.sort()).toEqual([
      'both',
      'everywhere',
      'image',
      'images',
      'mixed',
      'namespace',
      'namespaces',
      'suffix',
    ]);
  });
});

describe('a host in another spelling', () => {
  const pinned = {
    name: 'pinned',
    match: { images: ['registry.example.com/**'] },
    require: { digest: true },
  };
  const all = { name: 'all', match: { images: ['**'] } };

  it.each([
    ['is asked what the rule asks', [pinned, all], 'REGISTRY.example.com/x:1', false],
    ['is not covered by the rule alone', [pinned], `REGISTRY.example.com/x@${DIGEST}`, false],
    [
      'passes when it is covered and the rule is met',
      [pinned, all],
      `REGISTRY.example.com/x@${DIGEST}`,
      true,
    ],
    ['as written, passes', [pinned], `registry.example.com/x@${DIGEST}`, true],
    [
      'as written in the rule, is asked in lower case too',
      [{ ...pinned, match: { images: ['Registry.example.com/**'] } }, all],
      'registry.example.com/x:1',
      false,
    ],
    [
      'of Docker Hub, as written in the rule, is asked by its short name too',
      [{ ...pinned, match: { images: ['Docker.io/nginx'] } }, all],
      'nginx:1',
      false,
    ],
  ])('%s', (_title, rules, image, allowed) => {
    expect(decideImage(policyOf({ rules }), image).allowed).toBe(allowed);
  });
});

describe('an allow-list by match', () => {
  const policy = policyOf({ rules: [{ name: 'approved', match: { images: ['nginx:1.27'] } }] });

  it.each([
    ['nginx:1.27', true],
    [`nginx:1.27@${DIGEST}`, false],
    ['nginx:1.28', false],
    [`nginx@${DIGEST}`, false],
  ])('by tag: %s is allowed: %s', (image, allowed) => {
    expect(decideImage(policy, image).allowed).toBe(allowed);
  });
});

describe('a review with very many violations', () => {
  const rules = Array.from({ length: 100 }, (_, index) => ({
    name: `r${index}`,
    require: { registries: ['a.example'], digest: true },
  }));
  const images = Array.from({ length: 900 }, (_, index) => `quay.io/x/${index}`);

  it('is denied without being looked at to its end, and says so', () => {
    const { allowed, violations } = decide(policyOf({ rules }), { images });
    expect(allowed).toBe(false);
    expect(violations.length).toBeLessThan(1000);
    expect(violations.at(-1)).toMatchObject({ message: '897 more images were not looked at' });
  });

  it('is looked at to its end where break-glass overrides them: the last image may be absolute', () => {
    const breakGlass = { annotation: ANNOTATION };
    const given = { images: [...images, 'sha256:abc'], annotations: { [ANNOTATION]: 'INC-1' } };
    expect(decide(policyOf({ breakGlass, rules }), given).allowed).toBe(false);
    expect(decide(policyOf({ breakGlass, rules }), { ...given, images }).allowed).toBe(true);
  });
});
