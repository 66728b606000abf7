import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { judgeImage, violationsOf } from '../../src/decide/judge-image.ts';
import type { ImageJudgement } from '../../src/decide/judge-image.ts';
import { parsePolicy } from '../../src/rules/load.ts';
import type { Policy } from '../../src/rules/policy.ts';
import { imagePolicySchema } from '../../src/rules/schema.ts';
import { findWarnings } from '../../src/rules/warnings.ts';
import type { RulesWarning } from '../../src/rules/warnings.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

function fileOf(spec: object): object {
  return { apiVersion: 'image-checker/v1', kind: 'ImagePolicy', metadata: { name: 'x' }, spec };
}

function warningsOf(spec: object): readonly RulesWarning[] {
  return findWarnings(imagePolicySchema.parse(fileOf(spec)));
}

/** `rules[0].except[0]: message` for rules that are named a, b, c, ... */
function warn(rules: readonly object[], rest: object = {}): string[] {
  const named = rules.map((rule, index) => ({ name: String.fromCharCode(97 + index), ...rule }));
  return warningsOf({ rules: named, ...rest }).map(
    ({ path, message }) => `${path.slice(1).join('.')}: ${message}`,
  );
}

const EVERYWHERE = { namespaces: ['*'] };
const PROD = { namespaces: ['prod-*'] };
const docker = { registries: ['docker.io'] };
const mirror = { registries: ['mirror.example.com'] };
/** What a registry is asked, of a digest. */
const AGED = { digest: true, maxAge: 30 };

describe('warnings about a rules file', () => {
  it.each<[string, object[], RegExp]>([
    [
      'an exemption without limits',
      [{ except: [{ namespaces: ['a'] }, EVERYWHERE], require: docker }],
      /^rules\.0\.except\.1: this takes everything that match takes/,
    ],
    [
      'an exemption of all that match takes',
      [
        {
          match: { namespaces: ['prod-a', 'prod-b'], images: ['docker.io/team/*'] },
          except: [{ namespaces: ['prod-*'], images: ['docker.io/**'] }],
          require: { digest: true },
        },
      ],
      /^rules\.0\.except\.0: this takes everything/,
    ],
    [
      'an exemption from a rule that asks nothing',
      [{ match: PROD, except: [{ namespaces: ['prod-a'] }] }],
      /^rules\.0\.except: the rule asks nothing/,
    ],
    [
      'a tag and a digest',
      [{ require: { tags: ['v*'], digest: true } }],
      /^rules\.0: the rule can never be met: a tag is required and a digest/,
    ],
    [
      'images by tag and a digest',
      [{ require: { images: ['nginx:1', 'redis:*'], digest: true } }],
      /^rules\.0: the rule can never be met: a tag is required and a digest/,
    ],
    [
      'tags, and images by digest',
      [{ require: { images: [`nginx@${DIGEST}`], tags: ['v*'] } }],
      /^rules\.0: the rule can never be met: a tag is required and a digest/,
    ],
    [
      'registries that are required and forbidden',
      [{ require: docker, forbid: { registries: ['docker.io', 'quay.io'] } }],
      /^rules\.0: the rule can never be met: everything that is required is forbidden/,
    ],
    [
      'a registry that is forbidden in another spelling',
      [{ require: { registries: ['Mirror.example.com'] }, forbid: mirror }],
      /^rules\.0: the rule can never be met: everything that is required is forbidden/,
    ],
    [
      'images that are required and forbidden',
      [{ require: { images: ['docker.io/team/*:1'] }, forbid: { images: ['docker.io/**'] } }],
      /^rules\.0: the rule can never be met: everything that is required is forbidden/,
    ],
    [
      'tags that are required and forbidden',
      [{ require: { tags: ['v1', 'v2'] }, forbid: { tags: ['v*'] } }],
      /^rules\.0: the rule can never be met: everything that is required is forbidden/,
    ],
    [
      'images of none of the required registries',
      [{ require: { images: ['quay.io/**'], registries: ['docker.io', '*.example.com'] } }],
      /^rules\.0: the rule can never be met: the required images are of none/,
    ],
    [
      'a prohibition that its match never takes',
      [{ match: { images: ['quay.io/**'] }, forbid: { registries: ['gcr.io'] } }],
      /^rules\.0\.forbid: the rule can never be violated/,
    ],
    [
      'images of other registries than the required ones',
      [{ match: { images: ['nginx'] }, require: { registries: ['ghcr.io', '*.example.com'] } }],
      /^rules\.0: the rule can never be met: what its match takes is of none of the required registries/,
    ],
    [
      'images other than the required ones',
      [{ match: { images: ['docker.io/team/**'] }, require: { images: ['docker.io/library/*'] } }],
      /^rules\.0: the rule can never be met: what its match takes is none of the required images/,
    ],
    [
      'images of other tags than the required ones',
      [{ match: { images: ['nginx:1.*', 'redis:1'] }, require: { tags: ['2.*'] } }],
      /^rules\.0: the rule can never be met: what its match takes has none of the required tags/,
    ],
    [
      'a tag that its match never takes',
      [{ match: { images: ['nginx:1.*'] }, forbid: { tags: ['latest', '2.*'] } }],
      /^rules\.0\.forbid: the rule can never be violated/,
    ],
    [
      'a path that its match never takes',
      [{ match: { images: ['docker.io/library/**'] }, forbid: { images: ['docker.io/evil/**'] } }],
      /^rules\.0\.forbid: the rule can never be violated/,
    ],
    [
      'a short name beside the same host in another case',
      [{ match: { images: ['nginx'] }, forbid: { images: ['Docker.io/team/nginx'] } }],
      /^rules\.0\.forbid: the rule can never be violated/,
    ],
    [
      'an exemption of other namespaces',
      [
        {
          match: PROD,
          except: [{ namespaces: ['prod-a'] }, { namespaces: ['dev-*'] }],
          require: docker,
        },
      ],
      /^rules\.0\.except\.1: nobody is ever exempt by this/,
    ],
    [
      'an exemption of other images',
      [
        {
          match: { images: ['nginx'] },
          except: [{ images: ['redis'] }],
          require: { digest: true },
        },
      ],
      /^rules\.0\.except\.0: nobody is ever exempt by this/,
    ],
    [
      'two rules over everything with disjoint registries',
      [{ require: docker }, { require: mirror }],
      /^rules\.1: no image can meet what this rule and "a" ask: the required registries/,
    ],
    [
      'a narrow rule with other registries than a wide one',
      [{ require: docker }, { match: PROD, require: mirror }],
      /^rules\.1: no image can meet what this rule and "a" ask: the required registries/,
    ],
    [
      'tags everywhere and digests in production',
      [{ require: { tags: ['v*'] } }, { match: PROD, require: { digest: true } }],
      /^rules\.1: no image can meet what this rule and "a" ask: a tag is required and a digest/,
    ],
    [
      'different tags',
      [{ require: { tags: ['stable'] } }, { match: PROD, require: { tags: ['v1', 'v2'] } }],
      /^rules\.1: no image can meet what this rule and "a" ask: the required tags/,
    ],
    [
      'a requirement that another rule forbids',
      [{ match: PROD, require: docker }, { forbid: docker }],
      /^rules\.0: no image can meet what this rule and "b" ask: everything that is required/,
    ],
    [
      'the same rule twice',
      [{ require: docker }, { require: docker }],
      /^rules\.1: the rule adds nothing: all that it asks, "a" asks too/,
    ],
    [
      'a rule that a wider one contains',
      [{ match: PROD, forbid: { tags: ['latest'] } }, { forbid: { tags: ['latest', 'dev-*'] } }],
      /^rules\.0: the rule adds nothing: all that it asks, "b" asks too/,
    ],
    [
      'a laxer list of registries',
      [{ require: docker }, { require: { registries: ['docker.io', 'quay.io'] } }],
      /^rules\.1: the rule adds nothing: all that it asks, "a" asks too/,
    ],
    [
      'a warning beside the denial',
      [{ require: { digest: true } }, { mode: 'warn', match: PROD, require: { digest: true } }],
      /^rules\.1: the rule adds nothing/,
    ],
    [
      'an allow-list beside a rule over everything',
      [{ match: { images: ['docker.io/**'] } }, { forbid: { tags: ['latest'] } }],
      /^rules\.0: the rule adds nothing: it asks nothing, and "b" covers the same images/,
    ],
    [
      'an entry of an allow-list that another holds',
      [{ match: { images: ['docker.io/team/*'] } }, { match: { images: ['docker.io/**'] } }],
      /^rules\.0: the rule adds nothing: it asks nothing, and "b" covers the same images/,
    ],
    [
      'a pattern like a registry',
      [{ match: { images: ['registry.k8s.io'] } }],
      /^rules\.0\.match\.images\.0: "registry\.k8s\.io" is the image docker\.io\/library\/registry\.k8s\.io/,
    ],
    [
      'a pattern like a registry with a port',
      [{ except: [{ images: ['**/a', 'mirror.example.com:5000'] }], require: docker }],
      /^rules\.0\.except\.0\.images\.1: "mirror\.example\.com:5000" is the image /,
    ],
    [
      'an excuse for every registry',
      [{ onError: 'allow', require: AGED }],
      /^rules\.0\.onError: the rule covers every registry: whoever names one that gives no answer/,
    ],
    [
      'an excuse that is said',
      [{ onError: 'warn', match: PROD, require: AGED }],
      /^rules\.0\.onError: the rule covers every registry/,
    ],
    [
      'an excuse for every registry among others',
      [{ onError: 'allow', match: { images: ['docker.io/**', '**/app'] }, require: AGED }],
      /^rules\.0\.onError: the rule covers every registry/,
    ],
    [
      'an excuse beside registries that are named for a part alone',
      [
        { match: { images: ['quay.io/**'] }, require: docker, message: 'm' },
        { except: [PROD], require: docker },
        { mode: 'warn', require: docker },
        { onError: 'allow', require: AGED },
      ],
      /^rules\.3\.onError: the rule covers every registry/,
    ],
    [
      'an excuse beside required images of any registry',
      [{ onError: 'allow', require: { ...AGED, images: ['docker.io/a', '**/b'] } }],
      /^rules\.0\.onError: the rule covers every registry/,
    ],
    [
      'a tag that moves beside digests for a part, for some and without denial',
      [
        { match: PROD, require: { digest: true, explicitRegistry: true } },
        { except: [PROD], require: { digest: true, registries: ['docker.io'] } },
        { mode: 'warn', require: { digest: true } },
        { match: { images: ['docker.io/**'] }, require: { maxAge: 30 } },
      ],
      /^rules\.3\.require: what the tag points at is judged, and the node may pull another/,
    ],
  ])('are given for %s', (_title, rules, expected) => {
    expect(warn(rules)).toEqual([expect.stringMatching(expected)]);
  });

  it.each([
    ['no rules at all', { rules: [] }, 'no rule covers any image, so every image is denied'],
    [
      'break-glass without a ticket',
      {
        rules: [{ name: 'a', require: docker }],
        breakGlass: { annotation: 'a.image-policy.k8s.io/b' },
      },
      'any non-empty value of the annotation overrides every rule',
    ],
    [
      'a match alone where everything is allowed',
      { rules: [{ name: 'a', match: PROD }], unmatchedImages: 'allow' },
      'the rule does nothing: it asks nothing, and images on no rule are allowed',
    ],
  ])('are given for %s', (_title, spec, message) => {
    expect(warningsOf(spec).map((warning) => warning.message)).toEqual([message]);
  });

  it.each<[string, object[]]>([
    ['an exemption of a part', [{ except: [{ namespaces: ['kube-*'] }], require: docker }]],
    [
      'an exemption by tag, which a digest beside it undoes',
      [
        {
          match: { images: ['docker.io/a/b:1'] },
          except: [{ images: ['docker.io/a/b:1'] }],
          require: { digest: true },
        },
      ],
    ],
    [
      'images with and without tags, and a digest',
      [{ require: { images: ['a:1', 'b'], digest: true } }],
    ],
    [
      'a registry and one of its images',
      [{ require: docker, forbid: { images: ['docker.io/evil/**'] } }],
    ],
    [
      'a required tag and a forbidden one',
      [{ require: { tags: ['v*'] }, forbid: { tags: ['v1'] } }],
    ],
    [
      'the same registry with a port',
      [{ require: docker, forbid: { registries: ['docker.io:443'] } }],
    ],
    [
      'a registry of a domain',
      [{ require: { registries: ['*.example.com'] } }, { match: PROD, require: mirror }],
    ],
    [
      'different namespaces',
      [
        { match: { namespaces: ['a'] }, require: docker },
        { match: PROD, require: mirror },
      ],
    ],
    ['an audit beside it', [{ require: docker }, { mode: 'audit', require: mirror }]],
    [
      'an exemption for the narrower rule',
      [
        { except: [PROD], require: docker },
        { match: PROD, require: mirror },
      ],
    ],
    [
      'a freeze of one namespace',
      [{ require: docker }, { match: PROD, forbid: { images: ['**'] } }],
    ],
    [
      'tags that may overlap',
      [{ require: { tags: ['v*'] } }, { match: PROD, require: { tags: ['*-rc'] } }],
    ],
    [
      'an audit that becomes a warning and a denial',
      [
        { mode: 'audit', require: { digest: true } },
        { mode: 'warn', match: { namespaces: ['stage'] }, require: { digest: true } },
        { match: PROD, require: { digest: true } },
      ],
    ],
    [
      'the same with a message of its own',
      [{ require: docker }, { match: PROD, require: docker, message: 'm' }],
    ],
    [
      'a stricter rule in production',
      [{ require: docker }, { match: PROD, require: { ...docker, digest: true } }],
    ],
    [
      'another registry of the same prohibition',
      [{ forbid: docker }, { forbid: { registries: ['quay.io'] } }],
    ],
    [
      'an allow-list',
      [{ match: { images: ['docker.io/**'] } }, { match: { images: ['quay.io/a/*'] } }],
    ],
    ['an image with a dot in its name', [{ match: { images: ['my.app-1', 'python3.12'] } }]],
    [
      'a match and a prohibition in another spelling',
      [{ match: { images: ['Quay.io/**'] }, forbid: { registries: ['quay.io'] } }],
    ],
    [
      'images of one registry that have to come from another',
      [{ match: { images: ['docker.io/**'] }, require: mirror, message: 'use the mirror' }],
    ],
    [
      'a tag that may stand where its match names none',
      [{ match: { images: ['nginx:1.*', `redis@${DIGEST}`] }, forbid: { tags: ['latest'] } }],
    ],
    [
      'a tag beside a digest, which is forbidden all the same',
      [{ match: { images: [`nginx@${DIGEST}`] }, forbid: { images: ['nginx:latest'] } }],
    ],
    [
      'one key of a prohibition that its match takes',
      [{ match: { images: ['nginx'] }, forbid: { registries: ['quay.io'], tags: ['latest'] } }],
    ],
    [
      'a host in another case',
      [
        { match: { images: ['Docker.io/nginx'] }, require: docker },
        {
          match: { images: ['Quay.io/**'] },
          except: [{ images: ['quay.io/a'] }],
          require: { digest: true },
        },
      ],
    ],
    [
      'images and an exemption that may overlap',
      [
        {
          match: { images: ['docker.io/*/a'] },
          except: [{ images: ['**/a:1'] }, { images: ['docker.io/b/**'] }],
          require: { digest: true },
        },
      ],
    ],
    ['a registry that denies by giving no answer', [{ onError: 'deny', require: AGED }]],
    [
      'an excuse in a rule that denies nothing',
      [
        { mode: 'warn', onError: 'allow', require: AGED },
        { mode: 'audit', match: PROD, onError: 'allow', require: AGED, message: 'm' },
      ],
    ],
    [
      'an excuse for registries that its match names',
      [{ onError: 'allow', match: { images: ['docker.io/**'] }, require: AGED }],
    ],
    [
      'an excuse for registries that it requires',
      [
        { onError: 'allow', match: PROD, require: { ...AGED, ...docker } },
        { onError: 'warn', require: { ...AGED, images: ['docker.io/**'] } },
      ],
    ],
    [
      'a tag beside a digest that another rule requires of everything',
      [
        { require: { digest: true } },
        { match: { images: ['docker.io/**'] }, require: { maxAge: 30 } },
      ],
    ],
    [
      'a tag beside a digest that a later rule requires of the same and more',
      [
        { match: { namespaces: ['prod-a'] }, require: { maxAge: 30 } },
        { match: PROD, require: { digest: true } },
      ],
    ],
    [
      'an excuse beside a rule that names the registries of everything',
      [{ onError: 'allow', require: AGED }, { require: docker }],
    ],
  ])('are not given for %s', (_title, rules) => {
    expect(warn(rules)).toEqual([]);
  });

  it('do not compare the rules of a very long file', () => {
    expect(
      warn(
        Array<object>(400)
          .fill({ require: docker })
          .map((rule, index) => ({ ...rule, name: `r${index}` })),
      ),
    ).toEqual([]);
  });
});

/**
 * Small worlds, in which a false claim would be found out by trying. Hosts are in lower case: of
 * another spelling a rule asks its due and exempts nobody, which is more than a warning speaks of.
 */
const NAMESPACES = ['a', 'prod-a', 'prod-b'];
const IMAGES = ['docker.io', 'quay.io', 'x.example.com', 'y.x.example.com'].flatMap((registry) =>
  ['a', 'a/b', 'b'].flatMap((path) =>
    ['', ':1', ':v1', ':latest', `@${DIGEST}`, `:v1@${DIGEST}`].map(
      (rest) => `${registry}/${path}${rest}`,
    ),
  ),
);

const someOf = <T>(...values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });
const orNone = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });
const registries = someOf('docker.io', 'quay.io', '*.example.com', '*.x.example.com');
const images = someOf(
  ...[
    '**',
    'docker.io/**',
    'docker.io/library/a:v1',
    'docker.io/a/*',
    'quay.io/a',
    'quay.io/**:v*',
  ],
  ...['**/b', '*.example.com/**:latest', `quay.io/**@${DIGEST}`, `**:v1@${DIGEST}`],
);
const tags = someOf('1', 'v1', 'v*', 'latest', '*');
const selector = fc.record({
  namespaces: orNone(someOf('a', 'prod-a', 'prod-*', '*')),
  images: orNone(images),
});
const truth = fc.constant(true as const);
const rule = fc.record({
  mode: fc.constantFrom('enforce', 'enforce', 'warn', 'audit'),
  match: orNone(selector),
  except: orNone(fc.array(selector, { minLength: 1, maxLength: 1 })),
  require: orNone(
    fc.record({
      registries: orNone(registries),
      images: orNone(images),
      tags: orNone(tags),
      digest: orNone(truth),
      explicitRegistry: orNone(truth),
    }),
  ),
  forbid: orNone(
    fc.record({ registries: orNone(registries), images: orNone(images), tags: orNone(tags) }),
  ),
});

type Outcome = Exclude<ImageJudgement, { readonly refused: string }>;

function everyOutcome(policy: Policy): { image: string; namespace: string; outcome: Outcome }[] {
  return NAMESPACES.flatMap((namespace) =>
    IMAGES.map((image) => {
      const outcome = judgeImage(image, namespace, policy);
      if (outcome.refused !== undefined) throw new Error(outcome.refused);
      return { image, namespace, outcome };
    }),
  );
}

/** The rules that a warning is about, as they judged an image; undefined where one does not cover it. */
function resultOf(outcome: Outcome, name: string) {
  return outcome.covering.find((found) => found.rule.name === name);
}

function verdicts(policy: Policy): string[] {
  return everyOutcome(policy).map(({ outcome }) => {
    const violations = violationsOf(outcome, policy);
    const severities = ['enforce', 'warn'].filter((one) =>
      violations.some(({ severity }) => severity === one),
    );
    return severities[0] ?? 'allowed';
  });
}

type Named = readonly { readonly name: string }[];

function policyWith(rules: readonly object[]): Policy {
  return parsePolicy({ file: 'x', text: JSON.stringify(fileOf({ rules })) });
}

function checkClaim({ path, message }: RulesWarning, rules: Named): void {
  const name = rules[Number(path[2])]?.name ?? '';
  if (message.includes('adds nothing')) {
    const others = rules.filter((one) => one.name !== name);
    expect(verdicts(policyWith(others))).toEqual(verdicts(policyWith(rules)));
    return;
  }
  const contradicts = message.includes('nobody is ever exempt') ? isExempted : isOtherwise;
  for (const { image, namespace, outcome } of everyOutcome(policyWith(rules))) {
    if (contradicts(outcome, name, message)) {
      throw new Error(`${message}: not so for ${image} in ${namespace}`);
    }
  }
}

function isExempted(outcome: Outcome, name: string): boolean {
  return resultOf(outcome, name)?.exempt === true;
}

/** Whether an image violates what never is violated, or meets what can never be met. */
function isOtherwise(outcome: Outcome, name: string, message: string): boolean {
  const here = resultOf(outcome, name);
  if (here === undefined || here.exempt) return false;
  const other = /"(r\d)"/.exec(message)?.[1] ?? name;
  const violated = [here, resultOf(outcome, other)].some((one) => one?.violations.length);
  return violated === message.includes('never be violated');
}

describe('what is warned of', () => {
  it('is so: no image of a small world says otherwise', () => {
    let claims = 0;
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 3 }), (specs) => {
        const rules = specs.map((spec, index) => ({ name: `r${index}`, ...spec }));
        const text = JSON.stringify(fileOf({ rules }));
        const parsed = imagePolicySchema.safeParse(JSON.parse(text));
        fc.pre(parsed.success);
        for (const warning of findWarnings(parsed.data)) {
          if (warning.message.includes('asks nothing, so')) continue;
          claims += 1;
          checkClaim(warning, rules);
        }
      }),
      { numRuns: 600, maxSkipsPerRun: 100 },
    );
    expect(claims).toBeGreaterThan(100);
  });
});
