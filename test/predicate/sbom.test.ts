import { describe, expect, it } from '@jest/globals';
import { readCycloneDx } from '../../src/predicate/cyclonedx.ts';
import { ForbiddenPackages, parsePackageUrl } from '../../src/predicate/packages.ts';
import { forbiddenPackagesCheck, sbomCheck } from '../../src/predicate/sbom.ts';
import { readSpdx } from '../../src/predicate/spdx.ts';
import { HOSTILE } from './hostile.ts';

interface Package {
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
}

const spdx = (...packages: Package[]) => ({
  spdxVersion: 'SPDX-2.3',
  packages: packages.map(({ name, version, purl }) => ({
    name,
    versionInfo: version,
    externalRefs: [
      { referenceCategory: 'SECURITY', referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:a' },
      ...(purl === undefined ? [] : [{ referenceType: 'purl', referenceLocator: purl }]),
    ],
  })),
});
const spdxTags = (...packages: Package[]) =>
  [
    'SPDXVersion: SPDX-2.3',
    'DataLicense: CC0-1.0',
    ...packages.flatMap(({ name, version, purl }) => [
      '',
      `PackageName: ${name}`,
      ...(version === undefined ? [] : [`PackageVersion: ${version}`]),
      'ExternalRef: SECURITY cpe23Type cpe:2.3:a',
      ...(purl === undefined ? [] : [`ExternalRef: PACKAGE-MANAGER purl ${purl}`]),
    ]),
  ].join('\n');
const cyclonedx = (...packages: Package[]) => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: packages.map((each) => ({ type: 'library', ...each })),
});

/** The same packages in all forms. */
function refusalsOf(forbidden: readonly string[], ...packages: Package[]) {
  const list = new ForbiddenPackages(forbidden);
  const ofSpdx = forbiddenPackagesCheck(readSpdx, list);
  const ofCycloneDx = forbiddenPackagesCheck(readCycloneDx, list);
  return new Set([
    ofSpdx.refusal(spdx(...packages), 0),
    ofSpdx.refusal(JSON.stringify(spdx(...packages)), 0),
    ofSpdx.refusal(spdxTags(...packages), 0),
    ofSpdx.refusal(spdxTags(...packages).replaceAll('\n', '\r\n'), 0),
    ofCycloneDx.refusal(cyclonedx(...packages), 0),
  ]);
}

const LOG4J = { name: 'log4j-core', version: '2.14.1' };
const LOG4J_URL = 'pkg:maven/org.apache.logging.log4j/log4j-core';

describe('the packages of an SBOM', () => {
  it.each([
    ['another name', ['log4j'], LOG4J],
    ['a name that begins the same', ['log4j-core-x'], LOG4J],
    ['another type', ['pkg:npm/log4j-core'], { ...LOG4J, purl: `${LOG4J_URL}@2.14.1` }],
    ['another namespace', ['pkg:maven/evil/log4j-core'], { ...LOG4J, purl: `${LOG4J_URL}@2.14.1` }],
    ['another version', [`${LOG4J_URL}@2.14.0`], { ...LOG4J, purl: `${LOG4J_URL}@2.14.1` }],
    ['another version, told by its name', [`${LOG4J_URL}@2.14.0`], LOG4J],
    ['a name that only Python takes for it', ['pkg:npm/a.b'], { name: 'x', purl: 'pkg:npm/a-b@1' }],
    ['a name that only Python would take for it', ['pkg:npm/foo-bar'], { name: 'foo_bar' }],
    ['another version of Python', ['pkg:pypi/f-b@2'], { name: 'F.b', version: '1' }],
    ['that but for a part', ['pkg:pypi/a.b'], { name: 'x', purl: 'pkg:pypi/ab@1' }],
  ])('will do when what is forbidden is %s', (_what, forbidden, listed) => {
    expect(refusalsOf(forbidden, { name: 'zlib' }, listed)).toEqual(new Set([undefined]));
  });

  it.each([
    ['its name', 'log4j-core', LOG4J],
    ['its name in another case', 'Log4J-Core', LOG4J],
    ['its name, whatever its URL', 'log4j-core', { ...LOG4J, purl: 'pkg:deb/debian/x@1' }],
    ['its URL', LOG4J_URL, { ...LOG4J, purl: `${LOG4J_URL}@2.14.1` }],
    ['its URL in another case', LOG4J_URL.toUpperCase(), { ...LOG4J, purl: `${LOG4J_URL}@2.14.1` }],
    ['its URL with qualifiers', LOG4J_URL, { ...LOG4J, purl: `${LOG4J_URL}@2.14.1?type=jar#x/y` }],
    ['its URL and version', `${LOG4J_URL}@2.14.1`, { ...LOG4J, purl: `${LOG4J_URL}@2.14.1` }],
    ['a version, where it has none', `${LOG4J_URL}@2.14.1`, { name: 'x', purl: LOG4J_URL }],
    ['its URL under another name', LOG4J_URL, { name: 'harmless', purl: `${LOG4J_URL}@2.14.1` }],
    ['a URL, where it has a name alone', LOG4J_URL, LOG4J],
    ['a URL and version, where it has a name alone', `${LOG4J_URL}@2.14.1`, LOG4J],
    ['a URL, where its URL cannot be read', LOG4J_URL, { ...LOG4J, purl: 'pkg:' }],
    ['its URL, escaped', 'pkg:npm/@angular/core', { name: 'x', purl: 'pkg:npm/%40angular/core@1' }],
    ['its URL, as Python takes it', 'pkg:pypi/A.b_c', { name: 'x', purl: 'pkg:pypi/a-b-c@1' }],
    ['its name in a URL of Python', 'pkg:pypi/a.b', { name: 'A.b' }],
    ['its name, as Python takes it', 'pkg:pypi/foo-bar', { name: 'Foo__Bar' }],
    ['its name and version, as Python takes it', 'pkg:pypi/f-b@1', { name: 'F.b', version: '1' }],
    ['its URL, with more slashes', LOG4J_URL, { ...LOG4J, purl: LOG4J_URL.replace(':', '://') }],
  ])('are refused when what is forbidden is %s', (_what, forbidden, listed) => {
    expect(refusalsOf([forbidden, 'other'], { name: 'zlib' }, listed)).toEqual(
      new Set([`the SBOM lists ${forbidden}`]),
    );
  });

  it('are refused by all that is forbidden, up to a few', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    expect(refusalsOf(names, ...names.map((name) => ({ name })))).toEqual(
      new Set(['the SBOM lists a, b, c and 2 more']),
    );
  });

  it('are refused in components of components, and behind their groups', () => {
    const nested = (name: string, depth: number): object =>
      depth === 0 ? { name, group: '@g' } : { name: 'x', components: [nested(name, depth - 1)] };
    for (const forbidden of ['evil', '@g/evil', 'pkg:npm/%40g/evil']) {
      const check = forbiddenPackagesCheck(readCycloneDx, new ForbiddenPackages([forbidden]));
      const document = { bomFormat: 'CycloneDX', components: [nested('evil', 30), { name: 'y' }] };
      expect(check.refusal(document, 0)).toBe(`the SBOM lists ${forbidden}`);
    }
  });

  it('are refused in what the document is about, which is itself none of them', () => {
    const document = {
      bomFormat: 'CycloneDX',
      metadata: { component: { name: 'app', components: [{ name: 'evil' }] } },
      components: [{ name: 'a' }],
    };
    const refusalOf = (forbidden: string) =>
      forbiddenPackagesCheck(readCycloneDx, new ForbiddenPackages([forbidden])).refusal(
        document,
        0,
      );
    expect(refusalOf('evil')).toBe('the SBOM lists evil');
    expect(refusalOf('app')).toBeUndefined();
  });

  it('are refused within a text of several lines', () => {
    const check = forbiddenPackagesCheck(readSpdx, new ForbiddenPackages(['evil']));
    const text = `${spdxTags({ name: 'a' })}\nPackageComment: <text>\nPackageName: evil\n</text>`;
    expect(check.refusal(text, 0)).toBe('the SBOM lists evil');
  });

  const described = (version: string | undefined, ...lines: string[]): string =>
    [
      spdxTags({ name: 'left-pad', ...(version !== undefined && { version }) }),
      'PackageDescription: <text>of whoever made it',
      ...lines,
    ].join('\n');
  const URL = 'pkg:npm/left-pad';
  it.each([
    ['another version', `${URL}@1.3.0`, described('1.3.0', 'PackageVersion: 9.0.0', '</text>')],
    ['a version', `${URL}@1.3.0`, described(undefined, 'PackageVersion: 9.0.0', '</text>')],
    ['its end', `${URL}@1.3.0`, described('1.3.0', '</text>', 'PackageVersion: 9.0.0')],
    ['another package', `${URL}@1.3.0`, described('1.3.0', 'PackageName: x', 'PackageVersion: 9')],
    ['another URL', URL, described('1.3.0', 'ExternalRef: PACKAGE-MANAGER purl pkg:npm/x')],
    [
      'a URL of its name',
      URL,
      described('1.3.0', 'ExternalRef: PACKAGE-MANAGER purl pkg:x/left-pad'),
    ],
  ])('are refused though their own text pretends to be %s', (_what, forbidden, text) => {
    const check = forbiddenPackagesCheck(readSpdx, new ForbiddenPackages([forbidden]));
    expect(check.refusal(text, 0)).toBe(`the SBOM lists ${forbidden}`);
  });

  it('are known by a URL behind a text too, and what is not forbidden will do', () => {
    const text = described('1.3.0', '</text>', 'ExternalRef: PACKAGE-MANAGER purl pkg:npm/x@2');
    const refusalOf = (forbidden: string) =>
      forbiddenPackagesCheck(readSpdx, new ForbiddenPackages([forbidden])).refusal(text, 0);
    expect(refusalOf('pkg:npm/x')).toBe('the SBOM lists pkg:npm/x');
    expect(refusalOf(`${URL}@1.2.0`)).toBeUndefined();
    expect(refusalOf('pkg:npm/y')).toBeUndefined();
  });

  it('are found in a list as large as a registry gives', () => {
    const packages = Array.from({ length: 30_000 }, (_, index) => ({
      name: `package-${index}`,
      purl: `pkg:npm/package-${index}@1.0.0`,
    }));
    const forbidden = Array.from({ length: 500 }, (_, index) => `pkg:npm/other-${index}`);
    expect(refusalsOf(forbidden, ...packages)).toEqual(new Set([undefined]));
    expect(refusalsOf([...forbidden, 'package-29999'], ...packages)).toEqual(
      new Set(['the SBOM lists package-29999']),
    );
  });
});

/** SPDX as a text of JSON, with something in it that nobody asks for. */
const besides = (json: string): string =>
  `{"besides":${json},${JSON.stringify(spdx({ name: 'a' })).slice(1)}`;

describe('an SBOM', () => {
  it.each([
    ['SPDX', readSpdx, spdx({ name: 'a' })],
    ['SPDX as a text of JSON', readSpdx, ` ${JSON.stringify(spdx({ name: 'a' }))}`],
    [
      'SPDX as a text of JSON, with as much as goes',
      readSpdx,
      besides(`${'['.repeat(63)}${']'.repeat(63)}`),
    ],
    ['SPDX as tags and values', readSpdx, spdxTags({ name: 'a' })],
    ['SPDX without references', readSpdx, { spdxVersion: 'SPDX-2.2', packages: [{ name: 'a' }] }],
    ['CycloneDX', readCycloneDx, cyclonedx({ name: 'a' })],
  ])('will do when it is %s', (_what, reader, predicate) => {
    expect(sbomCheck(reader).refusal(predicate, 0)).toBeUndefined();
  });

  const SPDX = 'the SBOM is no SPDX 2 document';
  const CYCLONEDX = 'the SBOM is no CycloneDX document in JSON';
  it.each([
    ['without packages', readSpdx, spdx(), 'the SBOM lists no packages'],
    ['without packages, as tags', readSpdx, spdxTags(), 'the SBOM lists no packages'],
    [
      'with null for packages',
      readSpdx,
      { spdxVersion: 'SPDX-2.3', packages: null },
      'the SBOM lists no packages',
    ],
    ['with a text for packages', readSpdx, { spdxVersion: 'SPDX-2.3', packages: 'a' }, SPDX],
    ['with a package that is null', readSpdx, { spdxVersion: 'SPDX-2.3', packages: [null] }, SPDX],
    ['with a package without a name', readSpdx, { spdxVersion: 'SPDX-2.3', packages: [{}] }, SPDX],
    [
      'with references that are a text',
      readSpdx,
      { spdxVersion: 'SPDX-2.3', packages: [{ name: 'a', externalRefs: 'x' }] },
      SPDX,
    ],
    ['of no version', readSpdx, { packages: [{ name: 'a' }] }, SPDX],
    ['of SPDX 3', readSpdx, { '@context': 'https://spdx.org/rdf/3.0.1', '@graph': [] }, SPDX],
    ['that is another text', readSpdx, 'PackageName: a', SPDX],
    [
      'that is a broken text',
      readSpdx,
      '{"spdxVersion":"SPDX-2.3","packages":[{"name":"a"}]',
      SPDX,
    ],
    [
      'that is a text in a text',
      readSpdx,
      JSON.stringify(JSON.stringify(spdx({ name: 'a' }))),
      SPDX,
    ],
    ['that is deep', readSpdx, `{"a":${'['.repeat(300_000)}`, SPDX],
    ['that is deep, and whole', readSpdx, besides(`${'['.repeat(65)}${']'.repeat(65)}`), SPDX],
    ['that has very many parts', readSpdx, besides(`[${'[],'.repeat(400_000)}1]`), SPDX],
    ['that is of the other kind', readSpdx, cyclonedx({ name: 'a' }), SPDX],
    ['without components', readCycloneDx, cyclonedx(), 'the SBOM lists no packages'],
    [
      'that is about one component alone',
      readCycloneDx,
      { bomFormat: 'CycloneDX', metadata: { component: { name: 'a' } } },
      'the SBOM lists no packages',
    ],
    [
      'with a component without a name',
      readCycloneDx,
      { bomFormat: 'CycloneDX', components: [{}] },
      CYCLONEDX,
    ],
    [
      'with components that are an object',
      readCycloneDx,
      { bomFormat: 'CycloneDX', components: {} },
      CYCLONEDX,
    ],
    [
      'with inner components that are a text',
      readCycloneDx,
      { bomFormat: 'CycloneDX', components: [{ name: 'a', components: 'b' }] },
      CYCLONEDX,
    ],
    [
      'in XML',
      readCycloneDx,
      '<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>',
      CYCLONEDX,
    ],
    ['that is SPDX', readCycloneDx, spdx({ name: 'a' }), CYCLONEDX],
  ])('is refused %s', (_what, reader, predicate, message) => {
    expect(sbomCheck(reader).refusal(predicate, 0)).toBe(message);
    const forbidden = forbiddenPackagesCheck(reader, new ForbiddenPackages(['evil']));
    expect(forbidden.refusal(predicate, 0)).toBe(
      message.includes('lists no') ? undefined : message,
    );
  });

  it('is no worse for components that go very deep', () => {
    let component: object = { name: 'leaf' };
    for (let depth = 0; depth < 50_000; depth++) component = { name: 'x', components: [component] };
    const document = { bomFormat: 'CycloneDX', components: [component] };
    expect(sbomCheck(readCycloneDx).refusal(document, 0)).toBeUndefined();
  });
});

describe('a package URL', () => {
  it.each([
    ['pkg:npm/left-pad@1.3.0', 'npm/left-pad', '1.3.0'],
    ['pkg:npm/%40scope/name@1.0.0', 'npm/@scope/name', '1.0.0'],
    ['pkg:npm/@scope/name', 'npm/@scope/name', undefined],
    ['pkg:golang/github.com/A/B@v1.0.0#sub', 'golang/github.com/a/b', 'v1.0.0'],
    ['PKG:deb/debian/libssl3@3.0.1~deb12?arch=amd64', 'deb/debian/libssl3', '3.0.1~deb12'],
    ['pkg:deb/debian/x@1%3A2.0', 'deb/debian/x', '1:2.0'],
    ['pkg:npm/a%ZZ', 'npm/a%zz', undefined],
  ])('is read: %s', (text, path, version) => {
    expect(parsePackageUrl(text)).toEqual({ path, version });
  });

  it.each(['', 'pkg:', 'pkg:npm', 'pkg:npm/', 'npm/a', 'http://a/b', 'xpkg:npm/a'])(
    'is not: %j',
    (text) => {
      expect(parsePackageUrl(text)).toBeUndefined();
    },
  );
});

it.each(HOSTILE)('no SBOM is %s', (_what, predicate) => {
  for (const reader of [readSpdx, readCycloneDx]) {
    expect(sbomCheck(reader).refusal(predicate, 0)).toEqual(expect.any(String));
  }
});
