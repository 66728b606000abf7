import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ImageCheckerError } from '../../src/errors.ts';
import type { Problem } from '../../src/errors.ts';
import { loadPolicy } from '../../src/rules/load.ts';
import type { Policy } from '../../src/rules/policy.ts';
import type { RegistryRequirement } from '../../src/rules/registry-requirement.ts';
import { readRuleFiles } from '../../src/rules/rule-files.ts';
import { validate } from '../../src/rules/validate.ts';
import { newSigningKey } from '../support/cosign.ts';
import { issue, withBrokenKey } from '../support/x509.ts';

const DAY_MS = 86_400_000;
const HEAD = [
  'apiVersion: image-checker/v1',
  'kind: ImagePolicy',
  'metadata: { name: test-policy }',
  'spec:',
  '  rules:',
  '  - name: signed',
  '',
].join('\n');

const pemOf = (key = newSigningKey()): string =>
  key.trusted.key.export({ type: 'spki', format: 'pem' }).toString();

let folder: string;

const files: Readonly<Record<string, string | (() => string)>> = {
  'cosign.pub': pemOf(),
  'second.pub': pemOf(newSigningKey('RSA')),
  'cosign.key': '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END X-----\n',
  'text.pub': 'hello',
  'broken.pub': '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
  'weak.pub': () =>
    generateKeyPairSync('rsa', { modulusLength: 1024 })
      .publicKey.export({ type: 'spki', format: 'pem' })
      .toString(),
  'curve.pub': () =>
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
      .publicKey.export({ type: 'spki', format: 'pem' })
      .toString(),
  'two.pub': pemOf() + pemOf(),
  'root.pem': issue({
    subject: 'root',
    isAuthority: true,
    until: new Date(Date.now() + 400 * DAY_MS),
  }).pem,
  'old.pem': issue({
    subject: 'root',
    isAuthority: true,
    from: new Date(Date.now() - 2 * DAY_MS),
    until: new Date(Date.now() - DAY_MS),
  }).pem,
  'leaf.pem': issue({ subject: 'leaf' }).pem,
  'broken.pem': withBrokenKey(issue({ subject: 'broken', isAuthority: true })).pem,
  'middle.pem': issue({
    subject: 'middle',
    isAuthority: true,
    issuer: issue({ subject: 'root', isAuthority: true }),
  }).pem,
  'root.json': '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}',
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-checker-signatures-'));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), typeof content === 'string' ? content : content());
  }
  await writeFile(join(folder, 'copy.pub'), files['cosign.pub'] as string);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A policy of one rule, whose keys begin on line 7. */
async function load(lines: readonly string[]): Promise<Policy> {
  const file = join(folder, 'rules.yaml');
  await writeFile(file, `${HEAD}${lines.map((line) => `    ${line}\n`).join('')}`);
  return loadPolicy(file);
}

async function requirementOf(...lines: readonly string[]): Promise<RegistryRequirement> {
  const [rule] = (await load(lines)).rules;
  if (rule?.require.registry === undefined) throw new Error('nothing is asked of a registry');
  return rule.require.registry;
}

const signed = (entry: string): string => `require: { signatures: [${entry}] }`;

function textOf({ line, column, message, hint }: Problem): string {
  return `${line ?? '?'}:${column ?? '?'} ${message}${hint === undefined ? '' : ` [${hint}]`}`.replaceAll(
    folder,
    'FOLDER',
  );
}

async function mistakes(...lines: readonly string[]): Promise<readonly string[]> {
  try {
    await load(lines);
  } catch (thrown) {
    if (thrown instanceof ImageCheckerError) return thrown.problems.map(textOf);
    throw thrown;
  }
  return [];
}

describe('signatures in the rules', () => {
  it('are asked of the registry, by keys in files and in the text', async () => {
    const inline = JSON.stringify(pemOf());
    const { signatures } = await requirementOf(
      signed(
        `{ keys: [cosign.pub, ${inline}], threshold: 2, annotations: { env: prod }, repositories: [nginx] }`,
      ),
    );
    expect(signatures).toHaveLength(1);
    expect(signatures[0]).toMatchObject({
      keys: [{ source: 'cosign.pub' }, { source: 'inline key 2' }],
      certificates: undefined,
      keyless: undefined,
      annotations: new Map([['env', 'prod']]),
      repositories: ['docker.io/library/nginx'],
      threshold: 2,
    });
  });

  it('are asked by certificates of own authorities, whose names are compared as a whole', async () => {
    const { signatures } = await requirementOf(
      signed(
        '{ certificateChain: root.pem, identities: [{ san: a@example.com }, { sanPattern: "[b-d]+@example[.]com" }] }',
      ),
    );
    const [exact, pattern] = signatures[0]?.certificates?.identities ?? [];
    expect(signatures[0]?.certificates?.roots).toHaveLength(1);
    expect(
      ['a@example.com', 'a@example.com.evil', 'A@example.com', ''].map((name) =>
        exact?.matches(name),
      ),
    ).toEqual([true, false, false, false]);
    expect(
      [
        'bc@example.com',
        'bc@example.com.evil',
        'x bc@example.com',
        'bc@exampleXcom',
        'bc@example.com\n',
      ].map((name) => pattern?.matches(name)),
    ).toEqual([true, false, false, false, false]);
  });

  it('have another hash when anything else is asked', async () => {
    const entries = [
      '{ keys: [cosign.pub] }',
      '{ keys: [second.pub] }',
      '{ keys: [cosign.pub, second.pub] }',
      '{ keys: [cosign.pub, second.pub], threshold: 2 }',
      '{ keys: [cosign.pub], annotations: { a: b } }',
      '{ keys: [cosign.pub], repositories: [docker.io/a/b] }',
      '{ certificateChain: root.pem, identities: [{ san: a }] }',
      '{ certificateChain: root.pem, identities: [{ sanPattern: a }] }',
    ];
    const hashes = [];
    for (const entry of entries) hashes.push((await requirementOf(signed(entry))).hash);
    expect(new Set(hashes).size).toBe(entries.length);
    expect((await requirementOf(signed(entries[0] ?? ''))).hash).toBe(hashes[0]);
  });

  it('have another hash, and so has the policy, when a key file holds another key', async () => {
    const before = await load([signed('{ keys: [changing.pub] }')]).catch(() => undefined);
    expect(before).toBeUndefined();
    await writeFile(join(folder, 'changing.pub'), pemOf());
    const first = await load([signed('{ keys: [changing.pub] }')]);
    await writeFile(join(folder, 'changing.pub'), pemOf());
    const second = await load([signed('{ keys: [changing.pub] }')]);
    expect(first.hash).not.toBe(second.hash);
    expect(first.rules[0]?.require.registry?.hash).not.toBe(
      second.rules[0]?.require.registry?.hash,
    );
    expect(second.files).toEqual([join(folder, 'changing.pub')]);
  });

  it('let an image that could not be checked pass only where that is written', async () => {
    const onErrors = [];
    for (const written of [[], ['onError: warn'], ['onError: allow'], ['onError: deny']]) {
      const policy = await load([signed('{ keys: [cosign.pub] }'), ...written]);
      onErrors.push(policy.rules[0]?.onError);
    }
    expect(onErrors).toEqual(['deny', 'warn', 'allow', 'deny']);
  });

  it('are read from a file whose keys are spelt with escapes', async () => {
    const { signatures } = await requirementOf(
      'require: { signatures: [{ "ke\\x79s": [cosign.pub] }] }',
    );
    expect(signatures[0]?.keys).toHaveLength(1);
  });

  it('are read with keys that openssl made', async () => {
    const options = ['pkey', '-pubout', '-out', join(folder, 'openssl.pub')];
    const key = execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519']);
    execFileSync('openssl', options, { input: key });
    expect((await requirementOf(signed('{ keys: [openssl.pub] }'))).signatures).toHaveLength(1);
  });
});

describe('a mistake about signatures is told with its place', () => {
  const RELATIVE = 'a path is relative to the rules file; PEM may be written in place of it';
  const KINDS = 'use an ECDSA key (P-256, P-384 or P-521), Ed25519, or RSA of 2048 to 8192 bits';
  const ROOT =
    'write it with `cosign trusted-root create`; it has certificateAuthorities, tlogs and ctlogs';

  it.each<[string, string, string]>([
    [
      'a file that is missing',
      '{ keys: [cosign.pub, absent.pub] }',
      `7:50 spec.rules[0].require.signatures[0].keys[1]: FOLDER/absent.pub cannot be read: no such file [${RELATIVE}]`,
    ],
    [
      'a folder',
      '{ keys: [.] }',
      `7:38 spec.rules[0].require.signatures[0].keys[0]: FOLDER cannot be read: it is a folder [${RELATIVE}]`,
    ],
    [
      'a private key',
      '{ keys: [cosign.key] }',
      '7:38 spec.rules[0].require.signatures[0].keys[0]: expected a public key, got a private key [give the public half (cosign.pub); whoever reads the private one can sign]',
    ],
    [
      'a file without PEM',
      '{ keys: [text.pub] }',
      '7:38 spec.rules[0].require.signatures[0].keys[0]: expected a public key in PEM, got other text [a public key begins with -----BEGIN PUBLIC KEY-----]',
    ],
    [
      'a key that is cut off',
      '{ keys: [broken.pub] }',
      '7:38 spec.rules[0].require.signatures[0].keys[0]: the public key cannot be read [copy the file as `cosign generate-key-pair` or `openssl pkey -pubout` wrote it]',
    ],
    [
      'a weak key',
      '{ keys: [weak.pub] }',
      `7:38 spec.rules[0].require.signatures[0].keys[0]: expected RSA of 2048 to 8192 bits, got 1024 [${KINDS}]`,
    ],
    [
      'a key of another curve',
      '{ keys: [curve.pub] }',
      `7:38 spec.rules[0].require.signatures[0].keys[0]: expected P-256, P-384 or P-521, got secp256k1 [${KINDS}]`,
    ],
    [
      'two keys in one file',
      '{ keys: [two.pub] }',
      '7:38 spec.rules[0].require.signatures[0].keys[0]: expected one public key, got 2 [list each by itself]',
    ],
    [
      'a certificate for a key',
      '{ keys: [root.pem] }',
      '7:38 spec.rules[0].require.signatures[0].keys[0]: expected a public key, got a certificate [signers with certificates go under certificateChain and identities]',
    ],
    [
      'the same key twice',
      '{ keys: [cosign.pub, copy.pub] }',
      '7:50 spec.rules[0].require.signatures[0].keys[1]: the same key as cosign.pub [list each key once: it counts once]',
    ],
    [
      'no signer',
      '{ threshold: 1 }',
      '7:29 spec.rules[0].require.signatures[0]: expected one of keys, certificateChain, keyless [all entries of the list must hold: give each way to sign an entry of its own]',
    ],
    [
      'two kinds of signers',
      '{ keys: [cosign.pub], certificateChain: root.pem, identities: [{ san: a }] }',
      '7:29 spec.rules[0].require.signatures[0]: expected one of keys, certificateChain, keyless [all entries of the list must hold: give each way to sign an entry of its own]',
    ],
    [
      'identities without authorities',
      '{ keys: [cosign.pub], identities: [{ san: a }] }',
      '7:29 spec.rules[0].require.signatures[0]: certificateChain and identities go together [identities say whose certificates count: `identities: [{ san: release@example.com }]`]',
    ],
    [
      'authorities without identities',
      '{ certificateChain: root.pem }',
      '7:29 spec.rules[0].require.signatures[0]: certificateChain and identities go together',
    ],
    [
      'a chain without a root',
      '{ certificateChain: middle.pem, identities: [{ san: a }] }',
      '7:49 spec.rules[0].require.signatures[0].certificateChain: expected a root among the certificates, got none [add the root: the certificate that signs itself]',
    ],
    [
      'a chain with a signer',
      '{ certificateChain: leaf.pem, identities: [{ san: a }] }',
      '7:49 spec.rules[0].require.signatures[0].certificateChain: expected authorities alone, got the certificate of "CN=leaf"',
    ],
    [
      'a chain that is a key',
      '{ certificateChain: cosign.key, identities: [{ san: a }] }',
      '7:49 spec.rules[0].require.signatures[0].certificateChain: expected certificates, got a private key',
    ],
    [
      'a chain that is none',
      '{ certificateChain: text.pub, identities: [{ san: a }] }',
      '7:49 spec.rules[0].require.signatures[0].certificateChain: expected certificates in PEM',
    ],
    [
      'a chain whose key cannot be read',
      '{ certificateChain: broken.pem, identities: [{ san: a }] }',
      '7:49 spec.rules[0].require.signatures[0].certificateChain: expected certificates in PEM',
    ],
    [
      'an identity that names two',
      '{ certificateChain: root.pem, identities: [{ san: a, sanPattern: b }] }',
      '7:72 spec.rules[0].require.signatures[0].identities[0]: expected one of san and sanPattern [list several identities one by one]',
    ],
    [
      'an identity that names none',
      '{ certificateChain: root.pem, identities: [{}] }',
      '7:72 spec.rules[0].require.signatures[0].identities[0]: expected one of san and sanPattern',
    ],
    [
      'an identity with an issuer',
      '{ certificateChain: root.pem, identities: [{ san: a, issuer: b }] }',
      '7:82 unknown key "issuer"',
    ],
    [
      'a pattern that is none',
      '{ certificateChain: root.pem, identities: [{ sanPattern: "(" }] }',
      '7:86 spec.rules[0].require.signatures[0].identities[0].sanPattern: not a regular expression',
    ],
    [
      'a keyless identity without an issuer',
      '{ keyless: { trustedRoot: root.json, identities: [{ san: a }] } }',
      '7:79 spec.rules[0].require.signatures[0].keyless.identities[0].issuer is missing',
    ],
    [
      'a trusted root with which nothing can be verified',
      '{ keyless: { trustedRoot: root.json, identities: [{ san: a, issuer: b }] } }',
      `7:55 spec.rules[0].require.signatures[0].keyless.trustedRoot: expected certificateAuthorities in the trusted root, got none [${ROOT}]`,
    ],
    [
      'a trusted root that is none',
      '{ keyless: { trustedRoot: text.pub, identities: [{ san: a, issuer: b }] } }',
      `7:55 spec.rules[0].require.signatures[0].keyless.trustedRoot: expected a trusted root in JSON [${ROOT}]`,
    ],
    [
      'more signers than there are',
      '{ keys: [cosign.pub], threshold: 2 }',
      '7:62 spec.rules[0].require.signatures[0].threshold: expected at most the 1 different signers there are, got 2 [list more keys or identities, or ask for fewer]',
    ],
    [
      'more identities than there are',
      '{ certificateChain: root.pem, identities: [{ san: a }], threshold: 2 }',
      '7:96 spec.rules[0].require.signatures[0].threshold: expected at most the 1 different signers there are, got 2',
    ],
    [
      'no signatures at all',
      '{ keys: [cosign.pub], threshold: 0 }',
      '7:62 spec.rules[0].require.signatures[0].threshold: expected',
    ],
    [
      'annotations without one',
      '{ keys: [cosign.pub], annotations: {} }',
      '7:51 spec.rules[0].require.signatures[0].annotations: expected at least one annotation',
    ],
    [
      'an annotation that is no text',
      '{ keys: [cosign.pub], annotations: { a: 1 } }',
      '7:69 spec.rules[0].require.signatures[0].annotations.a: expected',
    ],
    [
      'a repository with a tag',
      '{ keys: [cosign.pub], repositories: ["docker.io/a/b:v1"] }',
      '7:66 spec.rules[0].require.signatures[0].repositories[0]: expected a repository, got "docker.io/a/b:v1" [write registry/repository, such as registry.example.com/team/app, without a tag]',
    ],
    [
      'a repository that is none',
      '{ keys: [cosign.pub], repositories: ["docker.io/A"] }',
      '7:66 spec.rules[0].require.signatures[0].repositories[0]: expected a repository, got "docker.io/A"',
    ],
    [
      'an empty list of keys',
      '{ keys: [] }',
      '7:31 spec.rules[0].require.signatures[0].keys: expected',
    ],
    [
      'a key that nobody knows',
      '{ key: cosign.pub }',
      '7:31 unknown key "key" [did you mean "keys"?]',
    ],
  ])('%s', async (_what, entry, expected) => {
    expect(await mistakes(signed(entry))).toContainEqual(expect.stringContaining(expected));
  });

  it('beside all other mistakes of the file', async () => {
    const found = await mistakes('mode: no', signed('{ keys: [absent.pub, text.pub] }'));
    expect(found.map((text) => text.split(' ')[0])).toEqual(['7:11', '8:38', '8:50']);
  });

  it('never with the key itself', async () => {
    const [found = ''] = await mistakes(
      signed(
        String.raw`{ keys: ["-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----"] }`,
      ),
    );
    expect(found).toContain('got a private key');
    expect(found).not.toContain('SECRET');
  });

  it('onError without anything that a registry is asked', async () => {
    expect(await mistakes('require: { digest: true }', 'onError: warn')).toEqual([
      '8:14 spec.rules[0].onError: onError does nothing: the rule asks nothing of a registry [drop it, or require one of signatures, attestations, digestMatchesTag, maxAge, platforms]',
    ]);
  });
});

describe('a warning about signatures', () => {
  async function warnings(...lines: readonly string[]): Promise<readonly string[]> {
    const text = `${HEAD}${lines.map((line) => `    ${line}\n`).join('')}`;
    const source = { file: 'rules.yaml', text };
    const found = validate(source, { files: await readRuleFiles(source, folder), now: Date.now() });
    expect(found.errors).toEqual([]);
    return found.warnings.map(textOf);
  }
  const pinned = (entry: string): string => `require: { digest: true, signatures: [${entry}] }`;

  it('is given where tags may move', async () => {
    expect(await warnings(signed('{ keys: [cosign.pub] }'))).toEqual([
      expect.stringContaining('what the tag points at is judged, and the node may pull another'),
    ]);
    expect(await warnings(pinned('{ keys: [cosign.pub] }'))).toEqual([]);
  });

  it('is given where an authority has expired', async () => {
    const entry = (file: string): string =>
      `{ certificateChain: ${file}, identities: [{ san: a }] }`;
    expect(await warnings(pinned(entry('old.pem')))).toEqual([
      expect.stringMatching(/an authority expired on [0-9-]{10}: no signature by its certificates/),
    ]);
    expect(await warnings(pinned(entry('root.pem')))).toEqual([]);
  });

  it('is not given that a rule adds nothing beside one that asks no signatures, or others', async () => {
    const rules = [
      pinned('{ keys: [cosign.pub] }'),
      '- name: digest',
      '  require: { digest: true }',
      '- name: other',
      `  ${pinned('{ keys: [second.pub] }')}`,
      '- name: same',
      `  ${pinned('{ keys: [second.pub] }')}`,
    ].map((line) => (line.startsWith('require') ? line : line.replace(/^/, '')));
    const text = [rules[0], ...rules.slice(1).map((line) => line)].join('\n');
    const placed = text
      .split('\n')
      .map((line, index) => (index === 0 ? `    ${line}` : `  ${line}`))
      .join('\n');
    const source = { file: 'rules.yaml', text: `${HEAD}${placed}\n` };
    const found = validate(source, { files: await readRuleFiles(source, folder), now: Date.now() });
    expect(found.errors).toEqual([]);
    expect(found.warnings.map(textOf)).toEqual([
      expect.stringContaining(
        '8:5 spec.rules[1]: the rule adds nothing: all that it asks, "signed" asks',
      ),
    ]);
  });
});
