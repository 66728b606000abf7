import { describe, expect, it } from '@jest/globals';
import type { Decision } from '../../src/decide/decision.ts';
import {
  ANNOTATION,
  decide,
  decideImage,
  DIGEST,
  OTHER_DIGEST,
  policyOf,
} from '../support/policy.ts';

/** A strict policy, and everything that somebody might try to get past it. */
const policy = policyOf({
  breakGlass: { annotation: ANNOTATION, ticket: 'INC-[0-9]+', namespaces: ['prod-*'] },
  rules: [
    {
      name: 'trusted-registries',
      require: { registries: ['docker.io', 'registry.k8s.io', '*.corp.example.com'] },
    },
    {
      name: 'trusted-images',
      except: [{ namespaces: ['kube-system'], images: ['registry.k8s.io/kube-proxy:v1.36.2'] }],
      require: {
        images: [
          'docker.io/library/nginx',
          'docker.io/library/redis:7.*',
          `docker.io/library/busybox@${DIGEST}`,
          'registry.k8s.io/pause',
          '*.corp.example.com/team-*/**',
        ],
      },
    },
    { name: 'explicit-registry', require: { explicitRegistry: true } },
    { name: 'no-latest', forbid: { tags: ['latest', 'nightly-*'] } },
    {
      name: 'pinned',
      match: { namespaces: ['prod-*'] },
      require: { digest: true },
    },
    {
      name: 'no-forks',
      forbid: { registries: ['old.corp.example.com'], images: ['**/forks/**', '**:7.0.0'] },
    },
  ],
});

const HEX = DIGEST.slice('sha256:'.length);
const FORMAT = 'invalid reference format';
const LOWERCASE = 'must be lowercase';
const LOCAL_ID = 'id of an image it already has';
const NO_REGISTRY = 'is no valid registry';

/** An image, why it is denied, and the rule or the words that say so. */
type Attempt = readonly [image: string, why: string, by: string];

const attempts: Readonly<Record<string, readonly Attempt[]>> = {
  'a host that looks like a trusted one': [
    [
      'docker.io.evil.com/library/nginx:1',
      'a host is trusted as a whole, not by its beginning',
      'trusted-registries',
    ],
    ['evil-docker.io/library/nginx:1', 'nor by its end', 'trusted-registries'],
    ['evil.docker.io/library/nginx:1', 'nor with a label before it', 'trusted-registries'],
    ['docker.com/library/nginx:1', 'another top level', 'trusted-registries'],
    ['docker-io.com/library/nginx:1', 'a dash for the dot', 'trusted-registries'],
    ['d0cker.io/library/nginx:1', 'a zero for the o', 'trusted-registries'],
    ['docker.i0/library/nginx:1', 'a zero for the o', 'trusted-registries'],
    ['docker.io./library/nginx:1', 'a trailing dot is no host by the grammar', FORMAT],
    [
      'dockerxio/library/nginx:1',
      'the dot of a host is no wildcard: this is a path on Docker Hub',
      'trusted-images',
    ],
    [
      'registry-1.docker.io/library/nginx:1',
      'another name of Docker Hub is another registry',
      'trusted-registries',
    ],
    [
      'index.docker.io.evil.com/library/nginx:1',
      'the alias is one host, exactly',
      'trusted-registries',
    ],
    ['xn--dcker-jua.io/library/nginx:1', 'a look-alike in punycode', 'trusted-registries'],
    [
      'registry.k8s.io.evil.com/pause:3',
      'a trusted host as a subdomain of another',
      'trusted-registries',
    ],
    ['k8s.io/pause:3', 'the parent of a trusted host', 'trusted-registries'],
    ['evilcorp.example.com/team-a/x:1', '*.suffix begins at a dot', 'trusted-registries'],
    [
      'corp.example.com/team-a/x:1',
      '*.suffix wants at least one label before it',
      'trusted-registries',
    ],
    ['a.corp.example.com.evil.com/team-a/x:1', '*.suffix ends the host', 'trusted-registries'],
    ['acorp.example.com/team-a/x:1', '*.suffix begins at a dot', 'trusted-registries'],
    ['127.0.0.1/library/nginx:1', 'an address is a host that nobody trusted', 'trusted-registries'],
    ['[::1]/library/nginx:1', 'so is one of IPv6', 'trusted-registries'],
    ['localhost/library/nginx:1', 'localhost is a registry of its own', 'trusted-registries'],
    [
      '2130706433/library/nginx:1',
      'a number without a dot is a path on Docker Hub',
      'trusted-images',
    ],
  ],
  'a trusted host in the wrong place': [
    [
      'evil.com/docker.io/library/nginx:1',
      'only the first part is the registry',
      'trusted-registries',
    ],
    [
      'evil.com/a.corp.example.com/team-a/x:1',
      'only the first part is the registry',
      'trusted-registries',
    ],
    ['docker.io/evil.com/library/nginx:1', 'the path counts as a whole', 'trusted-images'],
    ['docker.io/docker.io/library/nginx:1', 'the registry is not named twice', 'trusted-images'],
    ['evil.com/nginx:docker.io', 'a tag is no host', 'trusted-registries'],
    ['docker.io:1', 'without a slash this is the image docker.io of Docker Hub', 'trusted-images'],
  ],
  'user information and schemes': [
    ['user@docker.io/library/nginx:1', 'a reference knows no user', FORMAT],
    ['user:secret@docker.io/library/nginx:1', 'nor a password', FORMAT],
    ['docker.io@evil.com/library/nginx:1', 'a trusted host as the user of another', FORMAT],
    ['docker.io:443@evil.com/library/nginx:1', 'the same with a port', FORMAT],
    ['https://docker.io/library/nginx:1', 'a reference is no URL', FORMAT],
    ['docker://docker.io/library/nginx:1', 'nor one of another scheme', FORMAT],
    ['//docker.io/library/nginx:1', 'nor one without', FORMAT],
    ['oci:docker.io/library/nginx:1', 'the port of the host oci would have to be a number', FORMAT],
    ['docker.io/library/nginx:1?x=y', 'there is no query', FORMAT],
    ['docker.io/library/nginx:1#x', 'there is no fragment', FORMAT],
    ['docker.io;evil.com/library/nginx:1', 'there are no parameters', FORMAT],
  ],
  ports: [
    ['docker.io:443/library/nginx:1', 'with a port it is another registry', 'trusted-registries'],
    ['docker.io:80/library/nginx:1', 'with a port it is another registry', 'trusted-registries'],
    ['docker.io:0443/library/nginx:1', 'with a port it is another registry', 'trusted-registries'],
    [
      'a.corp.example.com:5000/team-a/x:1',
      'a suffix without a port takes none',
      'trusted-registries',
    ],
    ['docker.io:/library/nginx:1', 'a port has digits', FORMAT],
    ['docker.io:443:443/library/nginx:1', 'there is one port', FORMAT],
    ['docker.io:http/library/nginx:1', 'a port has digits alone', FORMAT],
    ['docker.io:evil.com/library/nginx:1', 'a port has digits alone', FORMAT],
  ],
  'upper case': [
    ['DOCKER.IO/library/nginx:1', 'hosts are compared exactly', 'trusted-registries'],
    ['Docker.io/library/nginx:1', 'hosts are compared exactly', 'trusted-registries'],
    ['INDEX.docker.io/library/nginx:1', 'the alias is written in lower case', 'trusted-registries'],
    ['a.CORP.example.com/team-a/x:1', 'suffixes are compared exactly', 'trusted-registries'],
    [
      'Library/nginx:1',
      'an upper-case letter makes the first part a registry',
      'trusted-registries',
    ],
    ['docker.io/Library/nginx:1', 'a path has no upper case', LOWERCASE],
    ['docker.io/library/NGINX:1', 'a path has no upper case', LOWERCASE],
    ['NGINX:1', 'a path has no upper case', LOWERCASE],
    [
      'OLD.corp.example.com/team-a/x:1',
      'a forbidden host is forbidden in every spelling',
      'no-forks',
    ],
  ],
  'tags and digests': [
    ['docker.io/library/nginx', 'no tag means latest', 'no-latest'],
    ['docker.io/library/nginx:latest', 'latest written out', 'no-latest'],
    [`docker.io/library/nginx:latest@${DIGEST}`, 'latest beside a digest', 'no-latest'],
    ['docker.io/library/nginx:nightly-1', 'a forbidden run of tags', 'no-latest'],
    ['docker.io/library/redis:7.0.0', 'a tag forbidden everywhere', 'no-forks'],
    [`docker.io/library/redis:7.0.0@${DIGEST}`, 'a forbidden tag beside a digest', 'no-forks'],
    ['docker.io/library/redis:70', 'a glob has no implicit wildcard', 'trusted-images'],
    ['docker.io/library/redis:x7.1', 'a glob is anchored', 'trusted-images'],
    [
      `docker.io/library/redis:7.2@${DIGEST}`,
      'the node pulls the digest, so a good tag proves nothing',
      'trusted-images',
    ],
    [`docker.io/library/redis@${DIGEST}`, 'a digest is no tag', 'trusted-images'],
    [`docker.io/library/busybox@${OTHER_DIGEST}`, 'another digest', 'trusted-images'],
    ['docker.io/library/busybox:1.36', 'a tag is no digest', 'trusted-images'],
    [`docker.io/library/busybox:sha256-${HEX}`, 'a tag that looks like a digest', 'trusted-images'],
    [`docker.io/library/nginx@${DIGEST}:1`, 'the digest stands last', FORMAT],
    [`docker.io/library/nginx@${DIGEST}@${OTHER_DIGEST}`, 'there is one digest', FORMAT],
    ['docker.io/library/nginx@sha256:abc', 'a digest has its length', FORMAT],
    [
      `docker.io/library/nginx@sha256:${HEX}0`,
      'a digest has its length',
      'invalid checksum digest length',
    ],
    [`docker.io/library/nginx@SHA256:${HEX}`, 'the algorithm is in lower case', LOWERCASE],
    [
      `docker.io/library/nginx@sha256:${'A'.repeat(64)}`,
      'so are the digits',
      'invalid checksum digest format',
    ],
    [
      `docker.io/library/nginx@md5:${HEX.slice(32)}`,
      'a weak algorithm',
      'unsupported digest algorithm',
    ],
    [
      `docker.io/library/nginx@constructor:${HEX}`,
      'a property of objects is no algorithm',
      'unsupported digest algorithm',
    ],
    [`docker.io/library/nginx@__proto__:${HEX}`, 'a property of objects is no algorithm', FORMAT],
    ['docker.io/library/nginx:', 'an empty tag is no tag', FORMAT],
    ['docker.io/library/nginx@', 'an empty digest is no digest', FORMAT],
    ['docker.io/library/nginx:1:latest', 'there is one tag', FORMAT],
    [`docker.io/library/nginx:${'1'.repeat(129)}`, 'a tag is 128 characters long at most', FORMAT],
    ['docker.io/library/nginx:-1', 'a tag does not begin with a dash', FORMAT],
  ],
  'letters that look alike': [
    ['d\u043ecker.io/library/nginx:1', 'a Cyrillic o in the host', FORMAT],
    ['docker.\u0456o/library/nginx:1', 'a Cyrillic i in the host', FORMAT],
    ['docker.io/library/ngin\u0445:1', 'a Cyrillic x in the path', FORMAT],
    ['\uff44ocker.io/library/nginx:1', 'a full-width d', FORMAT],
    ['docker\u3002io/library/nginx:1', 'an ideographic full stop', FORMAT],
    ['docker\u2024io/library/nginx:1', 'a one dot leader', FORMAT],
    ['docker.io\u2044library\u2044nginx:1', 'a fraction slash', FORMAT],
    ['docker.io\u2215library/nginx:1', 'a division slash', FORMAT],
    ['docker.io/library/nginx\uff1a1', 'a full-width colon', FORMAT],
    ['doc\u212aer.io/library/nginx:1', 'a Kelvin sign, whose lower case is k', LOWERCASE],
    ['docker.\u0130o/library/nginx:1', 'an I with a dot, whose lower case holds i', LOWERCASE],
    ['docker.io/library/ng\u0131nx:1', 'an i without a dot', FORMAT],
    ['docker.io/library/n\u0303ginx:1', 'a combining tilde', FORMAT],
    ['docker.io/library/nginx:\u0661', 'a digit of another script in the tag', FORMAT],
  ],
  'characters that do not show': [
    ['docker.io/library/nginx\u200b:1', 'a zero-width space', FORMAT],
    ['\ufeffdocker.io/library/nginx:1', 'a byte order mark', FORMAT],
    ['docker\u00ad.io/library/nginx:1', 'a soft hyphen', FORMAT],
    ['docker.io/library/\u202exnign:1', 'a turn of the writing direction', FORMAT],
    ['docker.io/library/nginx:1\u0000', 'a null character', FORMAT],
    ['docker.io/library/nginx\u0000evil:1', 'a null character in the middle', FORMAT],
    ['docker.io/library/nginx:1\u2028', 'a line separator', FORMAT],
    ['docker.io/library/nginx:1\ud800', 'half a surrogate pair', FORMAT],
    ['docker.io/library/nginx:1\u001b[2K', 'an escape sequence of a terminal', FORMAT],
  ],
  'white space': [
    [' docker.io/library/nginx:1', 'nothing is trimmed before', FORMAT],
    ['docker.io/library/nginx:1 ', 'nothing is trimmed behind', FORMAT],
    ['docker.io/library/nginx:1\n', 'a line break is no end', FORMAT],
    ['docker.io/library/nginx:1\r\nevil.com/x', 'nor is that of Windows', FORMAT],
    ['evil.com/x\ndocker.io/library/nginx:1', 'no line of several counts alone', FORMAT],
    ['docker.io/library/nginx:1\tevil.com/x', 'a tab parts nothing', FORMAT],
    ['docker.io/library/nginx:1\u00a0', 'a no-break space', FORMAT],
    ['docker.io/library/nginx:1,evil.com/x', 'a comma parts nothing', FORMAT],
  ],
  paths: [
    ['docker.io/library/../evil/nginx:1', 'no part of a path is ..', FORMAT],
    ['docker.io/./library/nginx:1', 'nor .', FORMAT],
    ['docker.io//library/nginx:1', 'nor empty', FORMAT],
    ['docker.io/library//nginx:1', 'nor empty', FORMAT],
    ['docker.io/library/nginx/:1', 'nor empty at the end', FORMAT],
    ['/docker.io/library/nginx:1', 'nor empty at the beginning', FORMAT],
    ['docker.io\\library\\nginx:1', 'a backslash is no slash', FORMAT],
    ['docker.io/library/nginx/evil:1', 'below an image is another image', 'trusted-images'],
    ['docker.io/evil/library/nginx:1', 'above it, too', 'trusted-images'],
    ['docker.io/evil/nginx:1', 'nginx of somebody else', 'trusted-images'],
    ['docker.io/library/library/nginx:1', 'library/ is added once', 'trusted-images'],
    ['docker.io/library/nginx-evil:1', 'a pattern is anchored', 'trusted-images'],
    ['docker.io/library/my-nginx:1', 'at both ends', 'trusted-images'],
    ['registry.k8s.io/library/pause:3', 'library/ belongs to Docker Hub', 'trusted-images'],
    [
      'registry.k8s.io/nginx:1',
      'an image of one registry is not that of another',
      'trusted-images',
    ],
    ['a.corp.example.com/team/x:1', 'team-* is not team', 'trusted-images'],
    ['a.corp.example.com/x/team-a/y:1', 'a path is matched from its beginning', 'trusted-images'],
    ['a.corp.example.com/my-team-a/y:1', 'and from the beginning of a component', 'trusted-images'],
    ['a.corp.example.com/team-a/forks/x:1', 'a fork deep in a trusted path', 'no-forks'],
    [
      `docker.io/${'a'.repeat(256)}:1`,
      'a path is 255 characters long at most',
      'more than 255 characters',
    ],
  ],
  encodings: [
    ['docker%2eio/library/nginx:1', 'nothing is decoded: percent signs', FORMAT],
    ['docker.io%2flibrary%2fnginx:1', 'nothing is decoded: an encoded slash', FORMAT],
    ['docker.io/library/ng%69nx:1', 'nothing is decoded: an encoded letter', FORMAT],
    ['docker.io/library/nginx%00:1', 'nothing is decoded: an encoded null', FORMAT],
    ['docker&#46;io/library/nginx:1', 'nothing is decoded: entities', FORMAT],
    ['docker\\u002eio/library/nginx:1', 'nothing is decoded: escapes', FORMAT],
    ['docker.io+library/nginx:1', 'nothing is decoded: a plus sign', FORMAT],
    ['$(IMAGE)', 'nothing is put in: variables', LOWERCASE],
    ['docker.io/library/${name}:1', 'nothing is put in: templates', FORMAT],
    ['docker.io/library/*:1', 'an image is no pattern', FORMAT],
    ['**', 'an image is no pattern', FORMAT],
  ],
  'no name at all': [
    ['', 'an empty image', 'expected an image'],
    [' ', 'a blank one', FORMAT],
    ['/', 'a slash alone', FORMAT],
    [':', 'a colon alone', FORMAT],
    ['@', 'an at sign alone', FORMAT],
    ['..', 'two dots', FORMAT],
    [HEX, 'hex digits that a runtime takes for an id', '64-byte hexadecimal strings'],
    [DIGEST, 'the id of an image on the node', LOCAL_ID],
    ['sha256:0123', 'a shortened id', LOCAL_ID],
    ['sha256:', 'the shortest of all', LOCAL_ID],
    ['sha256:ABC', 'an id in upper case', LOCAL_ID],
    [`sha512:${HEX}${HEX}`, 'an id of another algorithm', LOCAL_ID],
    [
      'foo_bar.com/library/nginx:1',
      'an underscore makes the registry empty, which is not Docker Hub',
      NO_REGISTRY,
    ],
    ['docker.io_x/library/nginx:1', 'the same with a trusted name', NO_REGISTRY],
    ['docker__io.x/library/nginx:1', 'the same with two', NO_REGISTRY],
    ['-docker.io/library/nginx:1', 'a dash in front makes it nothing', FORMAT],
    ['constructor', 'a property of objects is an image like any other', 'trusted-images'],
    ['__proto__', 'which this is not', FORMAT],
    ['hasOwnProperty/toString:1', 'an upper-case letter in a path', LOWERCASE],
    [
      `${'a.'.repeat(3000)}com/x:1`,
      'longer than anything that can be pulled',
      'at most 4096 characters',
    ],
  ],
  'a registry that is not written out': [
    ['nginx:1', 'the short name', 'explicit-registry'],
    ['library/nginx:1', 'half the name', 'explicit-registry'],
    [`nginx@${DIGEST}`, 'the short name with a digest', 'explicit-registry'],
    ['docker.io', 'a host alone is an image of Docker Hub', 'explicit-registry'],
  ],
};

const rows = Object.entries(attempts).flatMap(([kind, all]) =>
  all.map(([image, why, by]) => ({ kind, image, shown: ascii(image), why, by })),
);

/** For titles: nothing that a terminal would obey. */
function ascii(text: string): string {
  const unfit = /[^ -~]/g;
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return (text.length > 150 ? `${text.slice(0, 150)}...` : text).replace(unfit, escape);
}

/** The names of the violated rules, and the words of what no rule says. */
function objectionsTo({ violations }: Decision): string[] {
  return violations.map(({ rule, message }) => rule?.name ?? message);
}

describe('an attempt to get past a strict policy', () => {
  it('is one of many', () => {
    expect(rows.length).toBeGreaterThanOrEqual(80);
    expect(new Set(rows.map(({ image }) => image)).size).toBe(rows.length);
  });

  it.each(rows)('fails: $kind, $shown: $why', ({ image, by }) => {
    const decision = decideImage(policy, image);
    expect(decision.allowed).toBe(false);
    expect(decision.violations.map(({ image: named }) => named)).toContain(image);
    expect(objectionsTo(decision)).toContainEqual(expect.stringContaining(by));
  });

  it.each(rows)('fails beside a good image, too: $kind, $shown', ({ image }) => {
    const good = `docker.io/library/nginx:1@${DIGEST}`;
    expect(decide(policy, { images: [good, image] }).allowed).toBe(false);
    expect(decide(policy, { images: [image, good] }).allowed).toBe(false);
  });
});

describe('an attempt by way of the namespace or an annotation', () => {
  const KUBE_PROXY = 'registry.k8s.io/kube-proxy:v1.36.2';
  type Row = readonly [why: string, image: string, namespace: string, by: string];
  const reviews: readonly Row[] = [
    ['an exemption of another namespace', KUBE_PROXY, 'default', 'trusted-images'],
    ['an exemption without a namespace', KUBE_PROXY, '', 'trusted-images'],
    [
      'an exemption of a namespace with more to its name',
      KUBE_PROXY,
      'kube-system-2',
      'trusted-images',
    ],
    ['an exemption of a namespace in upper case', KUBE_PROXY, 'KUBE-SYSTEM', 'trusted-images'],
    ['an exemption of a namespace with a blank', KUBE_PROXY, 'kube-system ', 'trusted-images'],
    ['an exempt tag beside any digest', `${KUBE_PROXY}@${DIGEST}`, 'kube-system', 'trusted-images'],
    ['an exempt tag that goes on', `${KUBE_PROXY}-evil`, 'kube-system', 'trusted-images'],
    [
      'an exempt image of another registry',
      'evil.com/kube-proxy:v1.36.2',
      'kube-system',
      'trusted-images',
    ],
    [
      'an exemption from one rule for another rule',
      'evil.com/kube-proxy:v1.36.2',
      'kube-system',
      'trusted-registries',
    ],
    ['a tag where a digest is asked for', 'docker.io/library/nginx:1', 'prod-a', 'pinned'],
    [
      'a tag like a digest where one is asked for',
      `docker.io/library/nginx:sha256-${HEX}`,
      'prod-a',
      'pinned',
    ],
  ];

  it.each(reviews)('fails: %s: %s in namespace %j', (_why, image, namespace, by) => {
    const decision = decideImage(policy, image, namespace);
    expect(decision.allowed).toBe(false);
    expect(objectionsTo(decision)).toContain(by);
  });

  it.each([
    ['a ticket outside its namespaces', 'default', { [ANNOTATION]: 'INC-1' }],
    ['a ticket in no namespace', '', { [ANNOTATION]: 'INC-1' }],
    ['an empty ticket', 'prod-a', { [ANNOTATION]: '' }],
    ['a ticket that only begins well', 'prod-a', { [ANNOTATION]: 'INC-1 and more' }],
    ['a ticket on the second line', 'prod-a', { [ANNOTATION]: 'x\nINC-1' }],
    ['a ticket in another annotation', 'prod-a', { 'x.image-policy.k8s.io/break-glass': 'INC-1' }],
    ['an annotation in another case', 'prod-a', { [ANNOTATION.toUpperCase()]: 'INC-1' }],
    ['an annotation with a blank', 'prod-a', { [`${ANNOTATION} `]: 'INC-1' }],
    [
      'annotations that are named like rules',
      'prod-a',
      { 'trusted-images': 'allow', mode: 'audit' },
    ],
    [
      'annotations that are named like properties',
      'prod-a',
      { constructor: 'INC-1', ['__proto__']: 'INC-1' },
    ],
  ])('fails: %s', (_why, namespace, annotations) => {
    const decision = decide(policy, { images: ['evil.com/x:1'], namespace, annotations });
    expect(decision.allowed).toBe(false);
  });
});

describe('what the strict policy is for', () => {
  it.each([
    ['docker.io/library/nginx:1', 'default'],
    ['docker.io/nginx:1', 'default'],
    ['index.docker.io/nginx:1', 'default'],
    [`docker.io/library/nginx:1@${DIGEST}`, 'prod-a'],
    [`docker.io/library/nginx@${DIGEST}`, 'prod-a'],
    ['docker.io/library/redis:7.2', 'default'],
    [`docker.io/library/busybox@${DIGEST}`, 'prod-a'],
    ['registry.k8s.io/pause:3', 'kube-system'],
    ['registry.k8s.io/kube-proxy:v1.36.2', 'kube-system'],
    ['a.corp.example.com/team-a/x/y:1', 'default'],
    ['a.b.corp.example.com/team-b:1', 'default'],
  ])('passes: %s in namespace %s', (image, namespace) => {
    expect(decideImage(policy, image, namespace)).toMatchObject({ allowed: true, violations: [] });
  });

  it('gives way to break-glass where it is granted, and only there', () => {
    const annotations = { [ANNOTATION]: 'INC-1' };
    const images = ['evil.com/x:1'];
    expect(decide(policy, { images, namespace: 'prod-a', annotations }).allowed).toBe(true);
    expect(decide(policy, { images, namespace: 'dev', annotations }).allowed).toBe(false);
  });
});
