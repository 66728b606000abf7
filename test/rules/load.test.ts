import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Problem } from '../../src/errors.ts';
import { loadPolicy, parsePolicy } from '../../src/rules/load.ts';
import type { Policy } from '../../src/rules/policy.ts';
import { policyOf, problemsOf, rulesFile } from '../support/policy.ts';

/** Four lines; the `spec` of a test begins on line 5. */
const HEAD = [
  'apiVersion: image-checker/v1',
  'kind: ImagePolicy',
  'metadata: { name: test-policy }',
  'spec:',
  '',
].join('\n');

function read(text: string): Policy {
  return parsePolicy({ file: 'rules.yaml', text });
}

function place({ file, line, column, message, hint }: Problem): string {
  const at = `${file ?? '?'}:${line ?? '?'}:${column ?? '?'} ${message}`;
  return hint === undefined ? at : `${at} [${hint}]`;
}

function mistakes(text: string): string[] {
  return problemsOf('rules-invalid', () => read(text)).map(place);
}

/** The mistakes in the keys of one rule, which stand on line 7 (two spaces and a dash before). */
function mistakesInRule(...lines: readonly string[]): string[] {
  const rule = lines.map((line) => `    ${line}`).join('\n');
  return mistakes(`${HEAD}  rules:\n  - name: a\n${rule}\n`);
}

const PATTERN_HINT =
  'a path component holds lower-case letters, digits and single ".", "_", "__" or dashes between them; ' +
  '* stands for any run within one component, ** for whole components';
const REGISTRY_HINT =
  'write a host (registry.example.com), host:port, or *. and a suffix (*.example.com)';
const NAMESPACE_HINT =
  'a namespace holds lower-case letters, digits and "-"; * stands for any run of them';
const TAG_HINT = 'a tag holds letters, digits, "_", "." and "-"; * stands for any run';
const ANNOTATION_HINT = 'write something like image-checker.image-policy.k8s.io/break-glass';
const OTHER_KIND = 'this is another kind of file, what else is in it was not checked';
const SUBDOMAIN = 'a DNS subdomain (DNS labels joined by dots, at most 253 characters)';
const LABEL = 'a DNS label (lower-case letters, digits and "-", at most 63 characters)';

describe('a rules file', () => {
  it('gets the safe value wherever it says nothing', () => {
    const policy = policyOf({ rules: [] });
    expect(policy).toMatchObject({
      name: 'test-policy',
      unmatchedImages: 'deny',
      emptyReviews: 'deny',
      breakGlass: undefined,
      rules: [],
    });
  });

  it('is called by the first 12 digits of its SHA-256', () => {
    const text = rulesFile({ rules: [] });
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
    expect(read(text).hash).toBe(hash);
    expect(read(`${text}\n`).hash).not.toBe(hash);
  });

  it('may hold everything that there is', () => {
    const policy = read(`${HEAD}
  unmatchedImages: allow
  emptyReviews: allow
  breakGlass:
    annotation: image-checker.image-policy.k8s.io/break-glass
    ticket: "INC-[0-9]+"
    namespaces: ["prod-*", default]
  rules:
    - name: everything
      description: |
        Some words
        on two lines.
      mode: audit
      match: { namespaces: ["*"], images: ["**"] }
      except:
        - namespaces: [kube-system]
        - images: ["registry.k8s.io/**"]
      require:
        registries: [docker.io, "*.corp.example.com", "localhost:5000"]
        images: ["docker.io/**"]
        tags: ["v*"]
        digest: true
        explicitRegistry: true
      forbid:
        registries: [quay.io]
        images: ["**/evil"]
        tags: [latest]
      message: not trusted image!
    - name: b
      require: { digest: true }
`);
    expect(policy).toMatchObject({ unmatchedImages: 'allow', emptyReviews: 'allow' });
    expect(policy.rules.map(({ name }) => name)).toEqual(['everything', 'b']);
    expect(policy.breakGlass?.ticket?.source).toBe('INC-[0-9]+');
    expect(policy.breakGlass?.namespaces?.map(({ source }) => source)).toEqual([
      'prod-*',
      'default',
    ]);
  });

  it.each([
    ['JSON', rulesFile({ rules: [] })],
    ['JSON over many lines', JSON.stringify(JSON.parse(rulesFile({ rules: [] })), null, '\t')],
    ['line ends of Windows', `${HEAD}  rules: []\n`.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${HEAD}  rules: []\n`],
    ['a comment for the editor', `# yaml-language-server: $schema=x\n${HEAD}  rules: []\n`],
    [
      'a name that looks like a date',
      HEAD.replace('test-policy', '2026-01-01').concat('  rules: []\n'),
    ],
    [
      'a name with dots, as Kubernetes takes it',
      HEAD.replace('test-policy', 'cluster.policy-1.example').concat('  rules: []\n'),
    ],
    [
      'a name of 253 characters',
      HEAD.replace('test-policy', 'ab.'.repeat(84) + 'a').concat('  rules: []\n'),
    ],
  ])('may be %s', (_title, text) => {
    expect(read(text).rules).toEqual([]);
  });

  it.each([
    ['a rule of match alone', { name: 'a', match: { images: ['nginx'] } }],
    [
      'a message of 256 characters',
      { name: 'a', require: { digest: true }, message: 'x'.repeat(256) },
    ],
    ['a name of 63 characters', { name: 'a'.repeat(63), require: { digest: true } }],
    [
      'a namespace of stars',
      { name: 'a', match: { namespaces: ['*', '*-a-*', `${'a'.repeat(63)}*`] } },
    ],
  ])('may have %s', (_title, rule) => {
    expect(policyOf({ rules: [rule] }).rules).toHaveLength(1);
  });
});

describe('a mistake in a rules file', () => {
  it.each([
    ['no apiVersion', 'apiVersion', '1:1 apiVersion is missing: expected "image-checker/v1"'],
    ['no kind', 'kind', '1:1 kind is missing: expected "ImagePolicy"'],
    ['no metadata', 'metadata', '1:1 metadata is missing: expected a mapping'],
    ['no spec', 'spec', '1:1 spec is missing: expected a mapping'],
  ])('is %s', (_title, key, expected) => {
    const file = JSON.parse(rulesFile({ rules: [] })) as Record<string, unknown>;
    expect(mistakes(JSON.stringify({ ...file, [key]: undefined }))).toEqual([
      `rules.yaml:${expected}`,
    ]);
  });

  it.each([
    [
      'another apiVersion',
      HEAD.replace('checker/v1', 'checker/v2') + '  rules: []\n',
      '1:13 apiVersion: expected "image-checker/v1", got "image-checker/v2" [did you mean "image-checker/v1"?]',
    ],
    [
      'the kind of another file',
      HEAD.replace('ImagePolicy', 'ServiceConfig') + '  rules: []\n',
      `2:7 kind: expected "ImagePolicy", got "ServiceConfig" [${OTHER_KIND}]`,
    ],
    [
      'nothing but another kind of file',
      'kind: Pod\napiVersion: v1\nmetadata: { name: A, labels: {} }\nspec: { containers: [] }\n',
      `1:7 kind: expected "ImagePolicy", got "Pod" [${OTHER_KIND}]`,
    ],
    [
      'a name in upper case',
      HEAD.replace('test-policy', 'Test') + '  rules: []\n',
      `3:19 metadata.name: expected ${SUBDOMAIN}, got "Test"`,
    ],
    [
      'a name that ends in a dot',
      HEAD.replace('test-policy', 'test.') + '  rules: []\n',
      `3:19 metadata.name: expected ${SUBDOMAIN}, got "test."`,
    ],
    [
      'a name with a label of 64 characters',
      HEAD.replace('test-policy', `a.${'b'.repeat(64)}`) + '  rules: []\n',
      `3:19 metadata.name: expected ${SUBDOMAIN}, got "a.${'b'.repeat(64)}"`,
    ],
    [
      'a name of 254 characters',
      HEAD.replace('test-policy', 'ab.'.repeat(84) + 'ab') + '  rules: []\n',
      `3:19 metadata.name: expected ${SUBDOMAIN}, got "${'ab.'.repeat(26)}a...`,
    ],
    ['no rules', `${HEAD}  unmatchedImages: deny\n`, '4:1 spec.rules is missing: expected a list'],
    ['an empty spec', HEAD, '4:6 spec: expected a mapping, got null'],
    ['rules: nothing', `${HEAD}  rules:\n`, '5:9 spec.rules: expected a list, got null'],
    [
      'rules as a mapping',
      `${HEAD}  rules: { a: {} }\n`,
      '5:3 spec.rules: expected a list, got a mapping',
    ],
    [
      'a third way with unmatched images',
      `${HEAD}  unmatchedImages: warn\n  rules: []\n`,
      '5:20 spec.unmatchedImages: expected "deny" or "allow", got "warn"',
    ],
    [
      'false for a choice',
      `${HEAD}  emptyReviews: false\n  rules: []\n`,
      '5:17 spec.emptyReviews: expected "deny" or "allow", got false',
    ],
    [
      'a key in another case',
      `${HEAD}  UnmatchedImages: allow\n  rules: []\n`,
      '5:3 unknown key "UnmatchedImages" [did you mean "unmatchedImages"?]',
    ],
    [
      'a key at the wrong height',
      `${HEAD}  rules: []\nunmatchedImages: allow\n`,
      '6:1 unknown key "unmatchedImages" [known here: apiVersion, kind, metadata, spec]',
    ],
    [
      'the key __proto__',
      `${HEAD}  rules: []\n  __proto__: { unmatchedImages: allow }\n`,
      '6:3 unknown key "__proto__" [known here: unmatchedImages, emptyReviews, breakGlass, rules]',
    ],
    [
      'the key constructor',
      `${HEAD}  rules: []\n  constructor: x\n`,
      '6:3 unknown key "constructor" [known here: unmatchedImages, emptyReviews, breakGlass, rules]',
    ],
    [
      'a key twice',
      `${HEAD}  rules: []\n  rules: []\n`,
      '6:3 expected each key once, got this one again',
    ],
    [
      'a second document',
      `${HEAD}  rules: []\n---\n${HEAD}  rules: []\n`,
      '6:1 expected one YAML document, got another one',
    ],
    ['nothing at all', '', '1:1 the document: expected a mapping, got null'],
    [
      'a tab',
      `${HEAD}\trules: []\n`,
      '5:1 not YAML: tabs are not allowed as indentation [indent with spaces]',
    ],
    [
      'an unknown tag',
      `${HEAD}  rules: !include x\n`,
      '5:10 not YAML: unresolved tag: !include [where a text begins with "!", put it in quotes; tags are not known here]',
    ],
    [
      'an alias of nothing',
      `${HEAD}  rules: *x\n`,
      '5:10 not YAML: unresolved alias (the anchor must be set before the alias): x; a text that begins with "*" has to be in quotes',
    ],
    [
      'a merge key',
      `${HEAD}  rules: []\n  <<: { unmatchedImages: allow }\n`,
      '6:3 unknown key "<<" [known here: unmatchedImages, emptyReviews, breakGlass, rules]',
    ],
  ])('is told with its place: %s', (_title, text, expected) => {
    expect(mistakes(text)).toEqual([`rules.yaml:${expected}`]);
  });

  it.each([
    [
      'a rule that asks nothing',
      ['description: x'],
      '6:5 spec.rules[0]: expected at least one of match, require, forbid: this rule covers every image and asks nothing [to allow everything write `unmatchedImages: allow`]',
    ],
    [
      'a misspelt section, which is not missing then',
      ['requires: { digest: true }'],
      '7:5 unknown key "requires" [did you mean "require"?]',
    ],
    [
      'a misspelt key of a section, which is not empty then',
      ['require: { registry: [a.io] }'],
      '7:16 unknown key "registry" [did you mean "registries"?]',
    ],
    [
      'a misspelt key of an entry',
      ['require: { signatures: [{ key: [a.pub] }] }'],
      '7:31 unknown key "key" [did you mean "keys"?]',
    ],
    [
      'a misspelt question to a registry, which may be excused',
      ['onError: warn', 'require: { digest: true, signature: [] }'],
      '8:30 unknown key "signature" [did you mean "signatures"?]',
    ],
    [
      'an empty requirement',
      ['require: {}'],
      '7:5 spec.rules[0].require: expected at least one of registries, images, tags, digest, explicitRegistry, signatures, attestations, digestMatchesTag, maxAge, platforms [leave the key out, or say what it takes]',
    ],
    [
      'an empty prohibition',
      ['forbid: {}'],
      '7:5 spec.rules[0].forbid: expected at least one of registries, images, tags [leave the key out, or say what it takes]',
    ],
    [
      'an empty match',
      ['match: {}'],
      '7:5 spec.rules[0].match: expected at least one of namespaces, images [leave the key out, or say what it takes]',
    ],
    [
      'a requirement of nothing',
      ['require:'],
      '7:13 spec.rules[0].require: expected a mapping, got null',
    ],
    [
      'an empty list of exemptions',
      ['require: { digest: true }', 'except: []'],
      '8:5 spec.rules[0].except: expected at least 1 item, got an empty list',
    ],
    [
      'an empty exemption',
      ['require: { digest: true }', 'except: [{}]'],
      '8:14 spec.rules[0].except[0]: expected at least one of namespaces, images [leave the key out, or say what it takes]',
    ],
    [
      'an exemption that is no list',
      ['require: { digest: true }', 'except: { images: [a] }'],
      '8:5 spec.rules[0].except: expected a list, got a mapping [put "- " before its first key: each item of a list begins with one]',
    ],
    [
      'no registries',
      ['require: { registries: [] }'],
      '7:16 spec.rules[0].require.registries: expected at least 1 item, got an empty list',
    ],
    [
      'no images',
      ['match: { images: [] }'],
      '7:14 spec.rules[0].match.images: expected at least 1 item, got an empty list',
    ],
    [
      'no namespaces',
      ['match: { namespaces: [] }'],
      '7:14 spec.rules[0].match.namespaces: expected at least 1 item, got an empty list',
    ],
    [
      'no tags',
      ['forbid: { tags: [] }'],
      '7:15 spec.rules[0].forbid.tags: expected at least 1 item, got an empty list',
    ],
    [
      'one tag that is no list',
      ['forbid: { tags: latest }'],
      '7:21 spec.rules[0].forbid.tags: expected a list, got "latest" [write ["latest"]]',
    ],
    [
      'registries parted by commas',
      ['require: { registries: "docker.io, quay.io" }'],
      '7:28 spec.rules[0].require.registries: expected a list, got "docker.io, quay.io" [write ["docker.io", "quay.io"]]',
    ],
    [
      'a tag that YAML takes for a number',
      ['forbid: { tags: [1.27] }'],
      '7:22 spec.rules[0].forbid.tags[0]: expected a string, got 1.27 [put it in quotes]',
    ],
    [
      'digest: false',
      ['require: { digest: false }'],
      '7:24 spec.rules[0].require.digest: expected true, got false [leave the key out, false would do nothing]',
    ],
    [
      'explicitRegistry: false',
      ['require: { explicitRegistry: false }'],
      '7:34 spec.rules[0].require.explicitRegistry: expected true, got false [leave the key out, false would do nothing]',
    ],
    [
      'digest: "true"',
      ['require: { digest: "true" }'],
      '7:24 spec.rules[0].require.digest: expected true, got "true" [write it without quotes]',
    ],
    ['a digest that is forbidden', ['forbid: { digest: true }'], '7:15 unknown key "digest"'],
    [
      'an unknown mode',
      ['mode: enforced', 'forbid: { tags: [a] }'],
      '7:11 spec.rules[0].mode: expected "enforce" or "warn" or "audit", got "enforced" [did you mean "enforce"?]',
    ],
    [
      'annotations to match by',
      ['match: { annotations: { a: b }, images: [a] }'],
      '7:14 unknown key "annotations" [known here: namespaces, images]',
    ],
    [
      'a key of the singular',
      ['require: { digest: true, image: [a] }'],
      '7:30 unknown key "image" [did you mean "images"?]',
    ],
    [
      'a key that is a little off',
      ['requre: { digest: true }', 'match: { images: [a] }'],
      '7:5 unknown key "requre" [did you mean "require"?]',
    ],
    [
      'an exception by another name',
      ['require: { digest: true }', 'exempt: [{ images: [a] }]'],
      '8:5 unknown key "exempt" [did you mean "except"?]',
    ],
    [
      'an empty message',
      ['require: { digest: true }', 'message: ""'],
      '8:14 spec.rules[0].message: expected at least 1 character, got ""',
    ],
    [
      'a message of two lines',
      ['require: { digest: true }', 'message: "a\\nb"'],
      '8:14 spec.rules[0].message: expected one line of text',
    ],
    [
      'a message that turns the text',
      ['require: { digest: true }', 'message: "a\\u202eb"'],
      '8:14 spec.rules[0].message: expected one line of text',
    ],
    [
      'an unfit name',
      ['require: { digest: true }', 'description: 5'],
      '8:18 spec.rules[0].description: expected a string, got 5 [put it in quotes]',
    ],
    [
      'the key constructor',
      ['require: { digest: true, constructor: x }'],
      '7:30 unknown key "constructor" [known here: registries, images, tags, digest, explicitRegistry, signatures, attestations, digestMatchesTag, maxAge, platforms]',
    ],
    [
      'a lone star',
      ['match: { images: ["*"] }'],
      '7:23 spec.rules[0].match.images[0]: "*" alone takes no image [write ** for every image]',
    ],
    [
      'a star for a registry',
      ['match: { images: ["*/nginx"] }'],
      '7:23 spec.rules[0].match.images[0]: "*" cannot stand for or within a registry name, got "*" [write *.suffix for the hosts of a domain, or ** as the first component for any registry]',
    ],
    [
      'a regular expression',
      ['require: { images: ["docker.io/[a-z]+"] }'],
      `7:25 spec.rules[0].require.images[0]: no image has a path component like "[a-z]+" [${PATTERN_HINT}]`,
    ],
    [
      '.+ for an image',
      ['forbid: { images: [.+] }'],
      `7:24 spec.rules[0].forbid.images[0]: no image has a path component like ".+" [${PATTERN_HINT}]`,
    ],
    [
      'a registry with a path',
      ['require: { registries: [docker.io/library] }'],
      `7:29 spec.rules[0].require.registries[0]: expected a registry, got "docker.io/library" [a registry has no path: write it among \`images\`, with /** behind it for all that is below]`,
    ],
    [
      'every registry',
      ['forbid: { registries: ["*"] }'],
      `7:28 spec.rules[0].forbid.registries[0]: expected a registry, got "*", which would take every one [${REGISTRY_HINT}]`,
    ],
    [
      'a tag that there is not',
      ['require: { tags: ["v1+2"] }'],
      `7:23 spec.rules[0].require.tags[0]: no tag matches "v1+2" [${TAG_HINT}]`,
    ],
    [
      'a namespace that there is not',
      ['match: { namespaces: [Prod_1] }'],
      `7:27 spec.rules[0].match.namespaces[0]: no namespace matches "Prod_1" [${NAMESPACE_HINT}]`,
    ],
    [
      'a long namespace',
      [`match: { namespaces: ["${'a'.repeat(64)}*"] }`],
      `7:27 spec.rules[0].match.namespaces[0]: no namespace matches "${'a'.repeat(64)}*" [${NAMESPACE_HINT}]`,
    ],
  ])('in a rule is told with its place and a hint: %s', (_title, lines, expected) => {
    expect(mistakesInRule(...lines)).toContainEqual(
      expect.stringContaining(`rules.yaml:${expected}`),
    );
  });

  it.each(['', 'A', 'a_b', 'a.b', '-a', 'a-', 'a b', 'é', 'a'.repeat(64), 'a\n'])(
    'is the name %j of a rule',
    (name) => {
      const rules = [{ name, require: { digest: true } }];
      expect(problemsOf('rules-invalid', () => policyOf({ rules }))[0]?.message).toBe(
        `spec.rules[0].name: expected ${LABEL}, got ${JSON.stringify(name)}`,
      );
    },
  );

  it('is a name that two rules have, and every further one', () => {
    const rule = { require: { digest: true } };
    const rules = ['a', 'b', 'a', 'constructor', 'a'].map((name) => ({ name, ...rule }));
    const problems = problemsOf('rules-invalid', () => policyOf({ rules }));
    expect(problems.map(({ message, hint }) => `${message} [${hint ?? ''}]`)).toEqual([
      'spec.rules[2].name: another rule is called "a" [give each rule a name of its own]',
      'spec.rules[4].name: another rule is called "a" [give each rule a name of its own]',
    ]);
  });

  it('does not hide another one', () => {
    const text = `${HEAD}  unmatchedImages: maybe
  rules:
    - name: a
      require: { registries: ["*"], images: [nginx, "[a]", ".+"], digest: false }
    - name: a
      forbid: { tag: [latest] }
    - match: { images: [nginx] }
    - name: c
    - name: a
      match: { namespaces: [A, b, C] }
      except: []
`;
    expect(mistakes(text).map((mistake) => mistake.replace(/ \[.*\]$/, ''))).toEqual([
      'rules.yaml:5:20 spec.unmatchedImages: expected "deny" or "allow", got "maybe"',
      'rules.yaml:8:31 spec.rules[0].require.registries[0]: expected a registry, got "*", which would take every one',
      'rules.yaml:8:53 spec.rules[0].require.images[1]: no image has a path component like "[a]"',
      'rules.yaml:8:60 spec.rules[0].require.images[2]: no image has a path component like ".+"',
      'rules.yaml:8:75 spec.rules[0].require.digest: expected true, got false',
      'rules.yaml:9:13 spec.rules[1].name: another rule is called "a"',
      'rules.yaml:10:17 unknown key "tag"',
      'rules.yaml:11:7 spec.rules[2].name is missing: expected a string',
      'rules.yaml:12:7 spec.rules[3]: expected at least one of match, require, forbid: this rule covers every image and asks nothing',
      'rules.yaml:13:13 spec.rules[4].name: another rule is called "a"',
      'rules.yaml:14:29 spec.rules[4].match.namespaces[0]: no namespace matches "A"',
      'rules.yaml:14:35 spec.rules[4].match.namespaces[2]: no namespace matches "C"',
      'rules.yaml:15:7 spec.rules[4].except: expected at least 1 item, got an empty list',
    ]);
  });
});

describe('a mistake in breakGlass', () => {
  function mistakesInBreakGlass(breakGlass: unknown): readonly Problem[] {
    return problemsOf('rules-invalid', () => policyOf({ breakGlass, rules: [] }));
  }

  const annotation = 'image-checker.image-policy.k8s.io/break-glass';

  it.each([
    ['break-glass', 'kube-apiserver sends no annotation whose key lacks .image-policy.k8s.io/'],
    ['example.com/break-glass', 'lacks .image-policy.k8s.io/'],
    ['image-policy.k8s.io/break-glass', 'lacks .image-policy.k8s.io/'],
    ['x.image-policy.k8s.io', 'lacks .image-policy.k8s.io/'],
    ['x.image-policy.k8s.io/', 'expected a valid annotation key'],
    ['x.image-policy.k8s.io/a/b', 'expected a valid annotation key'],
    ['x.image-policy.k8s.io/a b', 'expected a valid annotation key'],
    ['x.image-policy.k8s.io/-a', 'expected a valid annotation key'],
    [`x.image-policy.k8s.io/${'a'.repeat(64)}`, 'expected a valid annotation key'],
    ['X.image-policy.k8s.io/a', 'expected a valid annotation key'],
    ['.image-policy.k8s.io/a', 'expected a valid annotation key'],
    ['a/x.image-policy.k8s.io/a', 'expected a valid annotation key'],
    [`${'a.'.repeat(130)}image-policy.k8s.io/a`, 'expected a valid annotation key'],
  ])('is the annotation %s', (key, message) => {
    expect(mistakesInBreakGlass({ annotation: key })).toMatchObject([
      { message: expect.stringContaining(message), hint: ANNOTATION_HINT },
    ]);
  });

  it.each([
    ['(', 'missing closing )'],
    ['[', 'missing closing ]'],
    ['a**', 'invalid nested repetition operator'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['(?<!a)b', 'invalid named capture'],
    ['(a)\\1', 'invalid escape sequence'],
    ['a{2000}', 'invalid repeat count'],
    ['*', 'missing argument to repetition operator'],
  ])('is the ticket pattern %s', (ticket, message) => {
    expect(mistakesInBreakGlass({ annotation, ticket })).toMatchObject([
      {
        message: expect.stringMatching(/^spec\.breakGlass\.ticket: not a regular expression: /),
        hint: 'RE2 syntax: no look-around and no back-references',
      },
    ]);
    expect(mistakesInBreakGlass({ annotation, ticket })[0]?.message).toContain(message);
  });

  it.each([
    ['no annotation', {}, 'spec.breakGlass.annotation is missing: expected a string'],
    ['true', true, 'spec.breakGlass: expected a mapping, got true'],
    [
      'no ticket',
      { annotation, ticket: '' },
      'spec.breakGlass.ticket: expected at least 1 character, got ""',
    ],
    [
      'a number as ticket',
      { annotation, ticket: 5 },
      'spec.breakGlass.ticket: expected a string, got 5',
    ],
    [
      'no namespaces',
      { annotation, namespaces: [] },
      'spec.breakGlass.namespaces: expected at least 1 item, got an empty list',
    ],
    [
      'a bad namespace',
      { annotation, namespaces: ['A'] },
      'spec.breakGlass.namespaces[0]: no namespace matches "A"',
    ],
    ['an unknown key', { annotation, tickets: 'a' }, 'unknown key "tickets"'],
  ])('is %s', (_title, breakGlass, message) => {
    expect(mistakesInBreakGlass(breakGlass).map((problem) => problem.message)).toEqual([message]);
  });
});

describe('loading a rules file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rules-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads it from disk', async () => {
    const file = join(folder, 'rules.yaml');
    await writeFile(file, `${HEAD}  rules: []\n`);
    expect((await loadPolicy(file)).name).toBe('test-policy');
  });

  it('tells by the name that was given where its mistakes are', async () => {
    const file = join(folder, 'bad.yaml');
    await writeFile(file, `${HEAD}  rulez: []\n`);
    await expect(loadPolicy(file)).rejects.toMatchObject({
      code: 'rules-invalid',
      message: expect.stringContaining(`${file}:5:3: unknown key "rulez"`),
    });
  });

  it('says what is wrong with a file that is not there', async () => {
    const file = join(folder, 'absent.yaml');
    await expect(loadPolicy(file)).rejects.toMatchObject({
      code: 'file-unreadable',
      problems: [
        { file, message: 'cannot be read: no such file', hint: expect.stringMatching(/./) },
      ],
    });
    await expect(loadPolicy(folder)).rejects.toMatchObject({ code: 'file-unreadable' });
  });
});
