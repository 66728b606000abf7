import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readIndex } from '../../../src/registry/descriptors.ts';
import { readArtefactManifest } from '../../../src/verify/artefact-manifest.ts';
import { readImageManifest } from '../../../src/verify/image-manifest.ts';
import type { ImageManifest } from '../../../src/verify/image-manifest.ts';
import { isGoField, membersOf } from '../go-json.ts';
import type { Members } from '../go-json.ts';

const DIGEST = /^(sha256|sha384|sha512):([0-9a-f]+)$/;

/**
 * What a digest stands for is an image, or an index, or nothing; and whoever reads the same bytes
 * with Go, as every node does, finds the same in them.
 */
export function fuzz(bytes: Uint8Array): void {
  const read = readImageManifest({ bytes });
  if (read.kind === 'malformed') assert.match(read.reason, /^[\w ,().-]{1,300}$/);
  else expectReadsAsGo(read, membersOf(new TextDecoder().decode(bytes)));
  expectDescriptors(bytes);
  const artefacts = readArtefactManifest({ digest: '', mediaType: '', bytes });
  if (typeof artefacts === 'string') return;
  assert.ok(artefacts.layers.length <= 64);
  for (const { digest, size } of artefacts.layers) expectFetchable(digest, size);
}

function expectReadsAsGo(read: Exclude<ImageManifest, { kind: 'malformed' }>, body: Members): void {
  assert.equal(goValue(body, 'schemaVersion'), 2);
  if (read.kind === 'image') {
    assert.equal(goValue(body, 'manifests'), undefined);
    const config = goMembers(body, 'config');
    const { mediaType, digest, size } = read.config;
    assert.deepEqual(
      [goValue(config, 'mediaType'), goValue(config, 'digest'), goValue(config, 'size')],
      [mediaType, digest, size],
    );
    expectFetchable(digest, size);
    return;
  }
  assert.equal(goValue(body, 'config') ?? goValue(body, 'layers'), undefined);
  assert.ok(read.images.length > 0 && read.images.length <= 64);
  const manifests = goValue(body, 'manifests');
  assert.ok(Array.isArray(manifests));
  const images = (manifests as Members[]).map(goImage).filter((image) => image !== NOWHERE);
  const own = read.images.map(({ digest, platform }) => {
    const { os, architecture, variant } = platform ?? {};
    return JSON.stringify([digest, os, architecture, variant]);
  });
  assert.deepEqual(own, [...images]);
}

/** BuildKit's attestations, which no node chooses. */
const NOWHERE = 'nowhere';

function goImage(entry: Members): string {
  const platform = goMembers(entry, 'platform');
  const [os, architecture, variant] = ['os', 'architecture', 'variant'].map(
    (name) => goValue(platform, name) ?? undefined,
  );
  if (os === 'unknown' && architecture === 'unknown') return NOWHERE;
  return JSON.stringify([goValue(entry, 'digest'), os, architecture, variant]);
}

/** The one value that Go takes for a field; it has to be one, and written exactly so. */
function goValue(members: Members, field: string): unknown {
  const taken = members.filter(([name]) => isGoField(name, field));
  assert.ok(taken.length < 2, `two of ${field}`);
  assert.equal(taken[0]?.[0] ?? field, field);
  return taken[0]?.[1];
}

function goMembers(members: Members, field: string): Members {
  return (goValue(members, field) ?? []) as Members;
}

function expectDescriptors(bytes: Uint8Array): void {
  for (const { digest, size, annotations = {}, platform } of readIndex(bytes) ?? []) {
    expectFetchable(digest, size);
    assert.ok(Object.values(annotations).every((text) => typeof text === 'string'));
    const { os = '', architecture = '', variant = '' } = platform ?? {};
    assert.equal(typeof `${os}${architecture}${variant}`, 'string');
  }
}

/** A digest that bytes can be held against, and a number of them. */
function expectFetchable(digest: string, size: number): void {
  const [, algorithm = '', hex = ''] = DIGEST.exec(digest) ?? [];
  assert.equal(createHash(algorithm).digest('hex').length, hex.length);
  assert.ok(Number.isSafeInteger(size) && size >= 0);
}
