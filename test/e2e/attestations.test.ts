import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseImageReference } from '../../src/parse/image-reference.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { ClosableRegistry } from '../../src/registry/create-registry.ts';
import { loadPolicy } from '../../src/rules/load.ts';
import { createInspector } from '../../src/verify/inspector.ts';
import { verifyImage } from '../../src/verify/verify-image.ts';
import { startRegistryLab } from '../support/registry-lab.ts';
import type { RegistryLab } from '../support/registry-lab.ts';
import { PREDICATES, SPDX_TAGS } from './predicates.ts';

/*
 * What real cosign attests in a real registry, held against rules as the service holds it. Each
 * verdict over a signer is compared with that of `cosign verify-attestation`, which in version 3.1
 * cannot read the predicate that it makes of a text (`--type spdx`): there is one verdict less.
 */

const VERSIONS = ['2.5', '3.1'] as const;
type Version = (typeof VERSIONS)[number];
const OFFLINE: Readonly<Record<Version, readonly string[]>> = {
  '2.5': ['--tlog-upload=false'],
  '3.1': ['--tlog-upload=false', '--use-signing-config=false'],
};

let lab: RegistryLab;
let registry: ClosableRegistry;

beforeAll(async () => {
  lab = await startRegistryLab('bearer');
  const hosts = { [lab.host]: { ca: lab.file('ca.pem'), plainHttp: false } };
  const deps = { now: Date.now, random: Math.random, env: {} };
  registry = createRegistry({ credentials: [lab.file('puller.json')], hosts }, deps);
  for (const name of ['release', 'stranger']) {
    await lab.cosign('2.5', 'generate-key-pair', '--output-key-prefix', lab.file(name));
  }
  await mkdir(lab.file('predicates'));
  for (const [name, { predicate }] of Object.entries(PREDICATES)) {
    const text = typeof predicate === 'string' ? predicate : JSON.stringify(predicate);
    await writeFile(predicateFile(name), text);
  }
});

afterAll(async () => {
  registry.close();
  await lab.stop();
});

function predicateFile(name: string): string {
  return join(lab.file('predicates'), name);
}

let images = 0;

/** An image of its own, by digest. */
async function pushImage(...options: readonly string[]): Promise<readonly string[]> {
  const name = `image-${images++}`;
  return lab.image('--content', name, ...options, `team/${name}:v1`);
}

interface Attesting {
  readonly image: string;
  readonly name: keyof typeof PREDICATES;
  readonly key?: string;
  readonly more?: readonly string[];
}

async function attest(version: Version, { image, name, key = 'release', more = [] }: Attesting) {
  const { type } = PREDICATES[name];
  const args = [
    '--key',
    lab.file(`${key}.key`),
    '--type',
    type,
    '--predicate',
    predicateFile(name),
  ];
  await lab.cosign(version, 'attest', ...args, ...OFFLINE[version], ...more, '-y', image);
}

/** What cosign of the same version says of an attestation of a type. */
async function cosignAccepts(version: Version, image: string, type: string): Promise<boolean> {
  const args = ['--key', lab.file('release.pub'), '--type', type, '--insecure-ignore-tlog=true'];
  const verified = lab.cosign(version, 'verify-attestation', ...args, image);
  return verified.then(
    () => true,
    () => false,
  );
}

/** The refusals of an image by a rule with these keys of `require`; empty when it passes. */
async function refusalsOf(image: string, require: object): Promise<readonly string[]> {
  const file = lab.file('rules.yaml');
  const rules = [{ name: 'the-rule', require }];
  const document = { apiVersion: 'image-checker/v1', kind: 'ImagePolicy', spec: { rules } };
  await writeFile(file, JSON.stringify({ ...document, metadata: { name: 'test-policy' } }));
  const [rule] = (await loadPolicy(file)).rules;
  const parsed = parseImageReference(image);
  const requirement = rule?.require.registry;
  if (rule === undefined || requirement === undefined || !parsed.ok) throw new Error(image);
  const session = createInspector({
    registry,
    verifyImage,
    cache: { positive: 0, negative: 0, bytes: 0 },
    isNamed: () => true,
    now: Date.now,
    answeredBy: () => undefined,
    reviewDeadline: 20_000,
    mostWaiting: 10,
    failed: (thrown) => {
      throw thrown;
    },
  }).open();
  const inspection = await session.inspect({
    image,
    reference: parsed.reference,
    rule,
    requirement,
  });
  session.close();
  if (inspection.outcome === 'unchecked') throw new Error(inspection.why);
  return inspection.outcome === 'passed' ? [] : inspection.reasons;
}

function attested(image: string, ...entries: readonly object[]): Promise<readonly string[]> {
  const attestations = entries.map((entry) => ({ keys: ['release.pub'], ...entry }));
  return refusalsOf(image, { attestations });
}

const BUILDER = 'https://builder.example.com/v1';
const SOURCE = 'https://git.example.com/team/app';

/** What is attested, an entry that it fulfils, and one that it does not. */
const CASES: readonly {
  readonly name: keyof typeof PREDICATES;
  readonly good: object;
  readonly bad: object;
  readonly why: string;
}[] = [
  {
    name: 'provenance-02',
    good: { provenance: { builder: BUILDER, source: SOURCE } },
    bad: { provenance: { builder: BUILDER, source: `${SOURCE}2` } },
    why: `source ${SOURCE}2: the source is "git+${SOURCE}@refs/heads/main"`,
  },
  {
    name: 'provenance-1',
    good: { provenance: { builder: BUILDER, source: SOURCE } },
    bad: { provenance: { builder: `${BUILDER}1`, source: SOURCE } },
    why: `builder ${BUILDER}1: the builder is "${BUILDER}"`,
  },
  {
    name: 'scan-by-trivy',
    good: { vulnerabilities: { maxSeverity: 'medium', scannedWithin: 1 } },
    bad: { vulnerabilities: { maxSeverity: 'low', scannedWithin: 1 } },
    why: 'maxSeverity low: there are 1 above it: CVE-2026-2 medium',
  },
  {
    name: 'scan-by-grype',
    good: { vulnerabilities: { maxSeverity: 'high' } },
    bad: { vulnerabilities: { maxSeverity: 'high', scannedWithin: 7 } },
    why: 'scannedWithin 7 days: the scan is one of 2026-01-01',
  },
  {
    name: 'spdx-json',
    good: { sbom: { formats: ['spdx', 'cyclonedx'], forbiddenPackages: ['log4j-core'] } },
    bad: { sbom: { formats: ['spdx'], forbiddenPackages: ['pkg:npm/left-pad'] } },
    why: 'forbiddenPackages: the SBOM lists pkg:npm/left-pad',
  },
  {
    name: 'spdx-text-of-json',
    good: { sbom: { formats: ['spdx'] } },
    bad: { sbom: { formats: ['spdx'], forbiddenPackages: ['left-pad'] } },
    why: 'forbiddenPackages: the SBOM lists left-pad',
  },
  {
    name: 'spdx-tags',
    good: { sbom: { formats: ['spdx'], forbiddenPackages: ['log4j-core'] } },
    bad: { sbom: { formats: ['spdx'], forbiddenPackages: ['pkg:npm/left-pad@1.3.0'] } },
    why: 'forbiddenPackages: the SBOM lists pkg:npm/left-pad@1.3.0',
  },
  {
    name: 'cyclonedx',
    good: { sbom: { formats: ['cyclonedx'] } },
    bad: { sbom: { formats: ['cyclonedx'], forbiddenPackages: ['pkg:npm/left-pad'] } },
    why: 'forbiddenPackages: the SBOM lists pkg:npm/left-pad',
  },
  {
    name: 'own-type',
    good: { predicateType: 'https://example.com/review/v1', cel: ['predicate.approvals >= 2'] },
    bad: { predicateType: 'https://example.com/review/v1', cel: ['predicate.approvals > 2'] },
    why: 'predicate.approvals > 2: is not true',
  },
];

const STRANGE: readonly string[] = ['provenance-1', 'spdx-tags', 'own-type'];

describe.each(VERSIONS)('an image attested by cosign %s', (version) => {
  it.each(CASES)('$name: passes what it fulfils, and nothing else', async (each) => {
    const { name, good, bad, why } = each;
    const [image = ''] = await pushImage();
    await attest(version, { image, name });
    expect(await attested(image, good)).toEqual([]);
    const readsItself = version === '2.5' || PREDICATES[name].type !== 'spdx';
    expect(await cosignAccepts(version, image, PREDICATES[name].type)).toBe(readsItself);
    const [refusal = '', ...more] = await attested(image, bad);
    expect(refusal).toContain(`by release.pub, got none; 1 do not count: ${why}`);
    expect(more).toEqual([]);
  });

  const some = CASES.filter(({ name }) => STRANGE.includes(name));
  it.each(some)('$name: is refused when a stranger attested it', async ({ name, good }) => {
    const [image = ''] = await pushImage();
    await attest(version, { image, name, key: 'stranger' });
    expect((await attested(image, good))[0]).toContain('1 do not count: by no trusted key');
    expect(await cosignAccepts(version, image, PREDICATES[name].type)).toBe(false);
  });

  it('is refused for a type that nobody attested, and without any attestation', async () => {
    const [image = ''] = await pushImage();
    const sbom = { sbom: { formats: ['spdx', 'cyclonedx'] } };
    expect((await attested(image, sbom))[0]).toMatch(/by release\.pub, got none$/);
    await attest(version, { image, name: 'own-type' });
    expect((await attested(image, sbom))[0]).toContain('1 do not count: of another type');
    expect(await cosignAccepts(version, image, 'cyclonedx')).toBe(false);
  });

  it('is not attested by its signature', async () => {
    const [image = ''] = await pushImage();
    const args = ['--key', lab.file('release.key'), ...OFFLINE[version], '-y', image];
    await lab.cosign(version, 'sign', ...args);
    const entry = { predicateType: 'https://example.com/review/v1' };
    expect((await attested(image, entry))[0]).toMatch(/by release\.pub, got none$/);
    await attest(version, { image, name: 'own-type' });
    expect(await attested(image, entry)).toEqual([]);
  });

  it('has to fulfil every entry, each by one attestation', async () => {
    const [image = ''] = await pushImage();
    for (const name of ['provenance-1', 'cyclonedx', 'scan-by-trivy'] as const) {
      await attest(version, { image, name });
    }
    const sbom = { sbom: { formats: ['cyclonedx'] } };
    const entries = [{ provenance: { builder: BUILDER } }, sbom];
    expect(await attested(image, ...entries)).toEqual([]);
    const more = [{ vulnerabilities: { maxSeverity: 'none' } }, { sbom: { formats: ['spdx'] } }];
    expect(await attested(image, ...entries, ...more)).toHaveLength(2);
  });

  it('is not attested by an attestation of the index that holds it, as cosign says too', async () => {
    const platforms = ['--platform', 'linux/amd64', '--platform', 'linux/arm64'];
    const [index = '', child = ''] = await pushImage(...platforms);
    await attest(version, { image: index, name: 'cyclonedx' });
    const entry = { sbom: { formats: ['cyclonedx'] } };
    expect(await attested(index, entry)).toEqual([]);
    expect(await attested(child, entry)).toHaveLength(1);
    expect(await cosignAccepts(version, child, 'cyclonedx')).toBe(false);
  });
});

/** What the files of the page hold. */
const PAGE_FILES: Readonly<Record<string, keyof typeof PREDICATES>> = {
  'provenance.json': 'provenance-1',
  'scan.json': 'scan-by-trivy',
  'sbom.spdx.json': 'spdx-json',
  'sbom.cdx.json': 'cyclonedx',
  'review.json': 'own-type',
};

it.each(VERSIONS)('the commands of docs/attestations.md attest, by cosign %s', async (version) => {
  const page = await readFile(new URL('../../docs/attestations.md', import.meta.url), 'utf8');
  const commands = page.match(/^cosign attest .*/gm) ?? [];
  expect(commands).toHaveLength(5);
  const [image = ''] = await pushImage();
  for (const command of commands) {
    const words = command.split(' ').slice(1, -1);
    const args = words.map((word) => {
      const name = PAGE_FILES[word];
      if (name !== undefined) return predicateFile(name);
      return word === 'cosign.key' ? lab.file('release.key') : word;
    });
    await lab.cosign(version, ...args, ...OFFLINE[version], '-y', image);
  }
  const entries = [
    { provenance: { builder: BUILDER, source: SOURCE } },
    { vulnerabilities: { maxSeverity: 'medium', scannedWithin: 7 } },
    { sbom: { formats: ['spdx'] } },
    { sbom: { formats: ['cyclonedx'] } },
    { predicateType: 'https://example.com/review/v1' },
  ];
  expect(await attested(image, ...entries)).toEqual([]);
});

it('an image attested by both versions of cosign passes by either', async () => {
  const [image = ''] = await pushImage();
  await attest('2.5', { image, name: 'cyclonedx' });
  await attest('3.1', { image, name: 'provenance-1' });
  const entries = [{ sbom: { formats: ['cyclonedx'] } }, { provenance: { source: SOURCE } }];
  expect(await attested(image, ...entries)).toEqual([]);
});

it('an SBOM as large as a registry gives is read, and a larger one refused', async () => {
  const lines = Array.from({ length: 60_000 }, (_, index) => `PackageName: package-${index}`);
  const entry = { sbom: { formats: ['spdx'], forbiddenPackages: ['package-59999'] } };
  const [image = '', ...none] = await pushImage();
  expect(none).toEqual([]);
  await writeFile(predicateFile('spdx-tags'), `${SPDX_TAGS}\n${lines.join('\n')}`);
  await attest('2.5', { image, name: 'spdx-tags' });
  expect((await attested(image, entry))[0]).toContain('the SBOM lists package-59999');
  const [other = ''] = await pushImage();
  await writeFile(predicateFile('spdx-tags'), `${SPDX_TAGS}\n${lines.join('\n').repeat(7)}`);
  await attest('2.5', { image: other, name: 'spdx-tags' });
  expect((await attested(other, entry))[0]).toMatch(/1 do not count: too large \(\d+ bytes\)/);
});

describe('an image in a real registry', () => {
  const created = (daysAgo: number): readonly string[] => [
    '--created',
    new Date(Date.now() - daysAgo * 24 * 60 * 60 * 1000).toISOString(),
  ];

  it.each([
    ['OCI', []],
    ['Docker', ['--docker']],
  ])('has an age and platforms: %s', async (_name, types) => {
    const platforms = ['--platform', 'linux/amd64', '--platform', 'linux/arm64/v8'];
    const [one = ''] = await pushImage(...types, ...created(10));
    const [index = ''] = await pushImage(...types, ...platforms, ...created(10));
    for (const image of [one, index]) {
      expect(await refusalsOf(image, { maxAge: 11, platforms: ['linux/amd64'] })).toEqual([]);
      expect(await refusalsOf(image, { maxAge: 9 })).toEqual([
        expect.stringContaining('expected an image created at most 9 days ago, got one of '),
      ]);
    }
    expect(await refusalsOf(index, { platforms: ['linux/amd64', 'linux/arm64'] })).toEqual([]);
    expect(await refusalsOf(one, { platforms: ['linux/amd64', 'linux/arm64'] })).toEqual([
      'expected an image for linux/arm64, got one for linux/amd64',
    ]);
  });

  it.each([
    ['does not say when it was created', ['--created', 'none']],
    ['was created in the future', created(-1)],
    ['was created in 1970', ['--created', '1970-01-01T00:00:00Z']],
  ])('is too old when it %s', async (_what, options) => {
    const [image = ''] = await pushImage(...options);
    expect(await refusalsOf(image, { maxAge: 30 })).toHaveLength(1);
  });

  it('has a tag that points at its digest, until it moves', async () => {
    const [first = ''] = await lab.image('--content', 'first', 'team/moving:v1');
    const tagged = first.replace('@', ':v1@');
    expect(await refusalsOf(tagged, { digestMatchesTag: true })).toEqual([]);
    expect(await refusalsOf(first, { digestMatchesTag: true })).toHaveLength(1);
    expect(await refusalsOf(first.replace('@', ':v2@'), { digestMatchesTag: true })).toEqual([
      expect.stringContaining('got no such tag in the registry'),
    ]);
    const [second = ''] = await lab.image('--content', 'second', 'team/moving:v1');
    expect(await refusalsOf(tagged, { digestMatchesTag: true })).toEqual([
      expect.stringMatching(
        new RegExp(`^expected tag v1 to point at ${digestOf(first)}, got ${digestOf(second)}$`),
      ),
    ]);
  });
});

function digestOf(image: string): string {
  return image.slice(image.indexOf('@') + 1);
}
