import { describe, expect, it } from '@jest/globals';
import { decideImage, DIGEST, objections, OTHER_DIGEST, policyOfRule } from '../support/policy.ts';

/** Where a rule must ask something for its exemptions and its reach to be seen: nothing passes. */
const NOTHING_PASSES = { images: ['nobody.example.com/nothing'] };

describe('require.registries', () => {
  const policy = policyOfRule({
    require: { registries: ['docker.io', '*.corp.example.com', 'localhost:5000'] },
  });

  it.each([
    'nginx',
    'docker.io/nginx',
    'index.docker.io/a/b',
    'a.corp.example.com/x',
    'a.b.corp.example.com/x',
    'localhost:5000/x',
    `docker.io/nginx@${DIGEST}`,
  ])('is met by %s', (image) => {
    expect(objections(policy, image)).toEqual([]);
  });

  it.each([
    ['quay.io/x', 'quay.io'],
    ['corp.example.com/x', 'corp.example.com'],
    ['a.corp.example.com:5000/x', 'a.corp.example.com:5000'],
    ['localhost/x', 'localhost'],
    ['docker.io:443/x', 'docker.io:443'],
    ['DOCKER.IO/x', 'DOCKER.IO'],
    ['Docker/x', 'Docker'],
    ['evil.com/docker.io/nginx', 'evil.com'],
  ])('is not met by %s', (image, registry) => {
    expect(objections(policy, image)).toEqual([
      `the-rule: registry ${registry} is none of docker.io, *.corp.example.com, localhost:5000`,
    ]);
  });

  it('names five of many registries', () => {
    const registries = Array.from({ length: 9 }, (_, at) => `r${at}.io`);
    expect(objections(policyOfRule({ require: { registries } }), 'nginx')).toEqual([
      'the-rule: registry docker.io is none of r0.io, r1.io, r2.io, r3.io, r4.io and 4 more',
    ]);
    const five = registries.slice(0, 5);
    expect(objections(policyOfRule({ require: { registries: five } }), 'nginx')).toEqual([
      'the-rule: registry docker.io is none of r0.io, r1.io, r2.io, r3.io, r4.io',
    ]);
  });
});

describe('require.images', () => {
  const policy = policyOfRule({
    require: { images: ['nginx', 'redis:7.*', 'a.com/team-*/**', `b.com/x@${DIGEST}`] },
  });

  it.each([
    'nginx',
    'nginx:1',
    `nginx:1@${DIGEST}`,
    'redis:7.2',
    'a.com/team-x/y/z',
    `b.com/x@${DIGEST}`,
    `b.com/x:1@${DIGEST}`,
  ])('is met by %s', (image) => {
    expect(objections(policy, image)).toEqual([]);
  });

  it.each([
    ['team/nginx', 'docker.io/team/nginx:latest'],
    ['redis:6', 'docker.io/library/redis:6'],
    ['redis', 'docker.io/library/redis:latest'],
    [`redis:7.2@${DIGEST}`, `docker.io/library/redis:7.2@${DIGEST}`],
    ['a.com/x/team-y', 'a.com/x/team-y:latest'],
    ['b.com/x:1', 'b.com/x:1'],
    [`b.com/x@${OTHER_DIGEST}`, `b.com/x@${OTHER_DIGEST}`],
    ['A.com/team-x/y', 'A.com/team-x/y:latest'],
  ])('is not met by %s', (image, normalized) => {
    expect(objections(policy, image)).toEqual([
      `the-rule: ${normalized} matches none of nginx, redis:7.*, a.com/team-*/**, b.com/x@${DIGEST}`,
    ]);
  });
});

describe('require.tags', () => {
  const policy = policyOfRule({ require: { tags: ['v*', 'stable'] } });

  it.each(['nginx:v1', 'nginx:stable', 'a.com/x:v'])('is met by %s', (image) => {
    expect(objections(policy, image)).toEqual([]);
  });

  it.each([
    ['nginx', 'got tag latest (implied, no tag is written)'],
    ['nginx:latest', 'got tag latest'],
    ['nginx:V1', 'got tag V1'],
    ['nginx:stable2', 'got tag stable2'],
    [`nginx@${DIGEST}`, 'got a digest, beside which no tag counts'],
    [`nginx:v1@${DIGEST}`, 'got a digest, beside which no tag counts'],
  ])('is not met by %s', (image, got) => {
    expect(objections(policy, image)).toEqual([
      `the-rule: expected a tag that matches v*, stable, ${got}`,
    ]);
  });

  it('may ask for the implied latest', () => {
    const latest = policyOfRule({ require: { tags: ['latest'] } });
    expect(objections(latest, 'nginx')).toEqual([]);
    expect(objections(latest, `nginx@${DIGEST}`)).toHaveLength(1);
  });
});

describe('require.digest', () => {
  const policy = policyOfRule({ require: { digest: true } });

  it.each([`nginx@${DIGEST}`, `nginx:1@${DIGEST}`, `a.com/x@sha512:${'0'.repeat(128)}`])(
    'is met by %s',
    (image) => {
      expect(objections(policy, image)).toEqual([]);
    },
  );

  it.each(['nginx', 'nginx:1', 'a.com/sha256/x', `nginx:sha256-${'a'.repeat(64)}`])(
    'is not met by %s',
    (image) => {
      expect(objections(policy, image)).toEqual([
        'the-rule: expected a digest (name@sha256:...), got none',
      ]);
    },
  );
});

describe('require.explicitRegistry', () => {
  const policy = policyOfRule({ require: { explicitRegistry: true } });

  it.each(['docker.io/nginx', 'index.docker.io/nginx', 'localhost/x', 'a.com/x', 'UP/x', 'a:1/x'])(
    'is met by %s',
    (image) => {
      expect(objections(policy, image)).toEqual([]);
    },
  );

  it.each(['nginx', 'library/nginx', 'nginx:1', 'docker.io', 'localhost', `nginx@${DIGEST}`])(
    'is not met by %s',
    (image) => {
      expect(objections(policy, image)).toEqual([
        `the-rule: the registry is not written out, write docker.io/${image}`,
      ]);
    },
  );
});

describe('forbid.registries', () => {
  const policy = policyOfRule({
    forbid: { registries: ['evil.com', '*.bad.com', 'Mixed.Case.io:5000'] },
  });

  it.each(['nginx', 'evil.com.io/x', 'notevil.com/x', 'bad.com/x', 'a.bad.com:1/x', 'x/evil.com'])(
    'does not hit %s',
    (image) => {
      expect(objections(policy, image)).toEqual([]);
    },
  );

  it.each([
    ['evil.com/x', 'evil.com'],
    ['EVIL.com/x', 'EVIL.com'],
    ['a.bad.com/x', 'a.bad.com'],
    ['a.b.BAD.com/x', 'a.b.BAD.com'],
    ['mixed.case.io:5000/x', 'mixed.case.io:5000'],
    ['MIXED.case.IO:5000/x', 'MIXED.case.IO:5000'],
  ])('hits %s', (image, registry) => {
    expect(objections(policy, image)).toEqual([`the-rule: registry ${registry} is forbidden`]);
  });

  it.each(['nginx', 'docker.io/x', 'DOCKER.io/x', 'index.docker.io/x', 'INDEX.Docker.io/x'])(
    'of Docker Hub hits %s, whatever the spelling',
    (image) => {
      const hub = policyOfRule({ forbid: { registries: ['docker.io'] } });
      const alias = policyOfRule({ forbid: { registries: ['Index.docker.io'] } });
      expect(objections(hub, image)).toHaveLength(1);
      expect(objections(alias, image)).toHaveLength(1);
    },
  );
});

describe('forbid.images', () => {
  const policy = policyOfRule({
    forbid: {
      images: ['**/evil', 'redis:6*', 'Mixed.io/x', 'Docker.io/curl', `a.com/x@${DIGEST}`],
    },
  });

  it.each(['nginx', 'evil/x', 'redis:7', `redis@${DIGEST}`, `a.com/x@${OTHER_DIGEST}`, 'a.com/x'])(
    'does not hit %s',
    (image) => {
      expect(objections(policy, image)).toEqual([]);
    },
  );

  it.each([
    ['evil', 'docker.io/library/evil:latest'],
    ['a.com/b/evil:1', 'a.com/b/evil:1'],
    [`evil@${DIGEST}`, `docker.io/library/evil@${DIGEST}`],
    ['redis:6.2', 'docker.io/library/redis:6.2'],
    [`redis:6.2@${DIGEST}`, `docker.io/library/redis:6.2@${DIGEST}`],
    ['Docker.io/library/redis:6', 'Docker.io/library/redis:6'],
    ['mixed.io/x', 'mixed.io/x:latest'],
    ['MIXED.IO/x', 'MIXED.IO/x:latest'],
    [`A.com/x:1@${DIGEST}`, `A.com/x:1@${DIGEST}`],
    ['curl', 'docker.io/library/curl:latest'],
    ['DOCKER.io/curl', 'DOCKER.io/curl:latest'],
  ])('hits %s', (image, normalized) => {
    expect(objections(policy, image)).toEqual([`the-rule: ${normalized} is forbidden`]);
  });
});

describe('forbid.tags', () => {
  const policy = policyOfRule({ forbid: { tags: ['latest', 'dev-*'] } });

  it.each(['nginx:1', 'nginx:latest2', 'nginx:LATEST', 'nginx:dev', `nginx@${DIGEST}`])(
    'does not hit %s',
    (image) => {
      expect(objections(policy, image)).toEqual([]);
    },
  );

  it.each([
    ['nginx', 'tag latest (implied, no tag is written)'],
    ['nginx:latest', 'tag latest'],
    [`nginx:latest@${DIGEST}`, 'tag latest'],
    ['nginx:dev-1', 'tag dev-1'],
  ])('hits %s', (image, tag) => {
    expect(objections(policy, image)).toEqual([`the-rule: ${tag} is forbidden`]);
  });
});

describe('a rule that asks several things', () => {
  const policy = policyOfRule({
    require: {
      registries: ['a.com'],
      images: ['a.com/**'],
      tags: ['v*'],
      digest: true,
      explicitRegistry: true,
    },
    forbid: { registries: ['docker.io'], images: ['**/nginx'], tags: ['latest'] },
  });

  it('tells everything that is wrong with an image', () => {
    expect(objections(policy, 'nginx')).toEqual([
      'the-rule: registry docker.io is none of a.com',
      'the-rule: docker.io/library/nginx:latest matches none of a.com/**',
      'the-rule: expected a tag that matches v*, got tag latest (implied, no tag is written)',
      'the-rule: expected a digest (name@sha256:...), got none',
      'the-rule: the registry is not written out, write docker.io/nginx',
      'the-rule: registry docker.io is forbidden',
      'the-rule: docker.io/library/nginx:latest is forbidden',
      'the-rule: tag latest (implied, no tag is written) is forbidden',
    ]);
  });

  it('tells what alone is wrong', () => {
    expect(objections(policy, 'a.com/x:v1')).toEqual([
      'the-rule: expected a digest (name@sha256:...), got none',
    ]);
  });

  it('can ask for what no image has', () => {
    expect(objections(policy, `a.com/x:v1@${DIGEST}`)).toHaveLength(1);
  });
});

describe('match', () => {
  const policy = policyOfRule(
    {
      match: { namespaces: ['prod-*', 'default'], images: ['nginx:1*', 'a.com/**'] },
      require: NOTHING_PASSES,
    },
    { unmatchedImages: 'allow' },
  );

  it.each([
    ['nginx:1', 'default'],
    ['nginx:1.27', 'prod-a'],
    [`nginx:1@${DIGEST}`, 'default'],
    ['a.com/x/y', 'prod-'],
  ])('takes %s in namespace %s', (image, namespace) => {
    expect(objections(policy, image, namespace)).toHaveLength(1);
  });

  it.each([
    ['nginx:2', 'default'],
    ['nginx', 'default'],
    [`nginx@${DIGEST}`, 'default'],
    ['b.com/x', 'default'],
    ['nginx:1', 'prod'],
    ['nginx:1', 'default2'],
    ['nginx:1', 'my-prod-a'],
    ['nginx:1', 'DEFAULT'],
    ['nginx:1', ''],
  ])('does not take %s in namespace %j', (image, namespace) => {
    expect(objections(policy, image, namespace)).toEqual([]);
  });

  it.each([
    ['absent', {}],
    ['of every namespace', { match: { namespaces: ['*'] } }],
    ['of every image', { match: { images: ['**'] } }],
    ['of both', { match: { namespaces: ['*'], images: ['**'] } }],
  ])('takes all when it is %s', (_title, match) => {
    const everything = policyOfRule({ ...match, require: NOTHING_PASSES });
    for (const namespace of ['', 'default', 'kube-system']) {
      expect(objections(everything, 'nginx', namespace)).toHaveLength(1);
      expect(objections(everything, `a.com:1/x@${DIGEST}`, namespace)).toHaveLength(1);
    }
  });
});

describe('except', () => {
  const policy = policyOfRule({
    except: [
      { namespaces: ['kube-*'], images: ['registry.k8s.io/**'] },
      { namespaces: ['sandbox'] },
      { images: ['busybox:1.36', `alpine:3@${DIGEST}`] },
    ],
    require: NOTHING_PASSES,
  });

  it.each([
    ['registry.k8s.io/pause:3', 'kube-system'],
    ['evil.com/x', 'sandbox'],
    ['busybox:1.36', 'default'],
    ['docker.io/library/busybox:1.36', 'kube-system'],
    [`alpine:3@${DIGEST}`, 'default'],
  ])('exempts %s in namespace %s, which is covered all the same', (image, namespace) => {
    expect(decideImage(policy, image, namespace)).toMatchObject({ allowed: true, violations: [] });
  });

  it.each([
    ['registry.k8s.io/pause:3', 'default'],
    ['registry.k8s.io/pause:3', ''],
    ['nginx', 'kube-system'],
    ['registry.k8s.io.evil.com/pause', 'kube-system'],
    ['REGISTRY.k8s.io/pause', 'kube-system'],
    ['evil.com/x', 'sandbox2'],
    ['busybox', 'default'],
    ['busybox:1.36.1', 'default'],
    [`busybox:1.36@${DIGEST}`, 'default'],
    [`busybox@${DIGEST}`, 'default'],
    ['alpine:3', 'default'],
    [`alpine:3@${OTHER_DIGEST}`, 'default'],
    [`alpine@${DIGEST}`, 'default'],
  ])('does not exempt %s in namespace %j', (image, namespace) => {
    expect(decideImage(policy, image, namespace).allowed).toBe(false);
    expect(objections(policy, image, namespace)).toHaveLength(1);
  });

  it('exempts from its own rule alone', () => {
    const other = policyOfRule({ except: [{ images: ['nginx'] }], require: NOTHING_PASSES });
    expect(objections(other, 'nginx')).toEqual([]);
    expect(objections(other, 'redis')).toHaveLength(1);
  });
});

describe('unmatchedImages', () => {
  const rule = { match: { images: ['nginx'] } };
  const UNCOVERED = 'no rule covers this image (unmatchedImages: deny)';

  it.each([
    ['redis', {}],
    ['redis', { unmatchedImages: 'deny' }],
    ['team/nginx', {}],
    ['nginx.com/nginx', {}],
  ])('denies %s with %j', (image, spec) => {
    const decision = decideImage(policyOfRule(rule, spec), image);
    expect(decision).toEqual({
      allowed: false,
      violations: [{ severity: 'enforce', image, message: UNCOVERED, rule: undefined }],
      checks: [],
      breakGlass: undefined,
    });
  });

  it.each([
    ['nginx', {}],
    ['nginx', { unmatchedImages: 'deny' }],
    ['redis', { unmatchedImages: 'allow' }],
  ])('allows %s with %j', (image, spec) => {
    expect(decideImage(policyOfRule(rule, spec), image)).toMatchObject({
      allowed: true,
      violations: [],
    });
  });

  it.each(['warn', 'audit'])('counts a rule of mode %s as one that covers', (mode) => {
    expect(decideImage(policyOfRule({ ...rule, mode }), 'nginx').allowed).toBe(true);
  });

  it('denies everything where there is no rule', () => {
    expect(objections(policyOfRule({ match: { namespaces: ['x'] } }), 'nginx')).toEqual([
      UNCOVERED,
    ]);
  });
});
