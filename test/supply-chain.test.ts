import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly dev?: true;
  readonly hasInstallScript?: true;
}

const { packages } = JSON.parse(read('package-lock.json')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const locked = Object.entries(packages).filter(([place]) => place !== '');
const nameOf = (place: string): string => place.replace(/^.*node_modules\//, '');

describe('the packages that are installed', () => {
  it('are pinned by their hashes', () => {
    expect(locked.filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true)).toEqual(
      [],
    );
  });

  // Each looks for a binary that its optional packages bring along anyway: lint, build and tests
  // run without.
  it('run no install script, and of those that are shipped none has one', () => {
    expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
    const withScripts = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(withScripts.filter(([, { dev }]) => dev !== true)).toEqual([]);
    expect(withScripts.map(([place]) => nameOf(place)).toSorted()).toEqual([
      '@parcel/watcher',
      '@swc/core',
      'unrs-resolver',
    ]);
  });
});

interface Bom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  }[];
}

describe('the bill of materials', () => {
  let folder: string;
  let text: string;
  const write = (): string => {
    const file = join(folder, 'bom.json');
    execFileSync(process.execPath, [join(root, 'scripts/sbom.js'), file, '24.0.0']);
    return readFileSync(file, 'utf8');
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'image-checker-bom-'));
    text = write();
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('names every package that is shipped, by its hash, and the Node that runs them', () => {
    const { bomFormat, metadata, components } = JSON.parse(text) as Bom;
    expect([bomFormat, metadata.component.name]).toEqual(['CycloneDX', 'image-checker']);
    const shipped = locked.filter(([, { dev }]) => dev !== true);
    const expected = shipped.map(([place, { version }]) => `${nameOf(place)}@${version}`);
    const named = components.map(({ name, version }) => `${name}@${version}`);
    expect(named.toSorted()).toEqual([...new Set([...expected, 'node@24.0.0'])].toSorted());
    const unhashed = components.filter(({ hashes = [] }) => hashes[0]?.alg !== 'SHA-512');
    expect(unhashed.map(({ name }) => name)).toEqual(['node']);
  });

  it('is the same for the same packages', () => {
    expect(write()).toBe(text);
  });
});
