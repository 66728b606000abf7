import { describe, expect, it } from '@jest/globals';
import type { Platform } from '../../src/rules/registry-requirement.ts';
import { checkAge } from '../../src/verify/image-age.ts';
import { checkPlatforms } from '../../src/verify/platforms.ts';
import { checkTagDigest } from '../../src/verify/tag-digest.ts';
import { ImageRegistry, OCI_INDEX, OCI_MANIFEST } from './image-registry.ts';

const LINUX = { os: 'linux', architecture: 'amd64' };
const ARM = { os: 'linux', architecture: 'arm64' };
const UNKNOWN = { os: 'unknown', architecture: 'unknown' };
const YOUNG = '2026-11-20T00:00:00Z';
const OLD = '2020-01-01T00:00:00Z';
const NO_DIGEST = `sha256:${'0'.repeat(64)}`;

async function ageOf(registry: ImageRegistry, digest: string, maxAge = 30) {
  return checkAge(await registry.resolve(digest), maxAge, registry.context);
}

async function platformsOf(registry: ImageRegistry, digest: string, ...names: string[]) {
  const platforms = names.map((name): Platform => {
    const [os = '', architecture = '', variant] = name.split('/');
    return { os, architecture, variant };
  });
  return checkPlatforms(await registry.resolve(digest), platforms, registry.context);
}

/** An index of images with these created times, for linux/amd64, linux/arm64, and so on. */
function indexOf(registry: ImageRegistry, ...created: unknown[]) {
  const manifests = created.map((time, index) => {
    const platform = { os: 'linux', architecture: ['amd64', 'arm64', 's390x'][index] };
    return { ...registry.pushImage({ ...platform, created: time }), platform };
  });
  return registry.pushIndex(manifests);
}

describe('the age of an image', () => {
  it.each([
    ['a week old', YOUNG],
    ['of this very moment', '2026-11-27T12:00:00Z'],
    ['exactly as old as it may be', '2026-10-28T12:00:00Z'],
    ['made by a clock a little ahead', '2026-11-27T12:05:00Z'],
    ['with nanoseconds', '2026-11-20T00:00:00.123456789Z'],
    ['with an offset', '2026-11-20T02:00:00+02:00'],
  ])('will do when it is %s', async (_what, created) => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage({ ...LINUX, created });
    expect(await ageOf(registry, digest)).toEqual([]);
  });

  it.each([
    ['a second too old', '2026-10-28T11:59:59Z', 'one of 2026-10-28'],
    ['of 1970, as reproducible builds write', '1970-01-01T00:00:00Z', 'one of 1970-01-01'],
    ['of the future', '2026-11-27T12:05:01Z', 'one of the future (2026-11-27)'],
    ['of the far future', '9999-12-31T23:59:59Z', 'one of the future (9999-12-31)'],
    ['not told', undefined, 'one that does not say when'],
    ['null', null, 'one that does not say when'],
    ['empty', '', 'one that does not say when in RFC 3339'],
    ['no time', 'yesterday', 'one that does not say when in RFC 3339'],
    ['a day alone', '2026-11-20', 'one that does not say when in RFC 3339'],
    ['without an offset', '2026-11-20T00:00:00', 'one that does not say when in RFC 3339'],
    ['of a month too many', '2026-13-01T00:00:00Z', 'one that does not say when in RFC 3339'],
    ['of 30 February', '2026-02-30T00:00:00Z', 'one that does not say when in RFC 3339'],
    ['a number', 1_764_000_000, 'a malformed config (created)'],
    ['a list', [YOUNG], 'a malformed config (created)'],
    ['endless', `2026-11-20T00:00:00.${'1'.repeat(9999)}Z`, 'one that does not say when in RFC'],
  ])('is refused when it is %s', async (_what, created, message) => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage({ ...LINUX, created });
    const [refusal, ...more] = await ageOf(registry, digest);
    expect(refusal).toContain(`expected an image created at most 30 days ago, got ${message}`);
    expect(more).toEqual([]);
  });

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a text', '"created"'],
    ['null', 'null'],
    ['without a platform', JSON.stringify({ created: YOUNG })],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    [
      'of a prototype',
      '{"__proto__":{"os":"linux","architecture":"amd64","created":"2026-11-20T00:00:00Z"}}',
    ],
    ['deep', '['.repeat(500_000)],
    ['told twice', `{"os":"linux","architecture":"amd64","created":"${OLD}","created":"${YOUNG}"}`],
    ['told in two cases', JSON.stringify({ ...LINUX, created: YOUNG, Created: OLD })],
  ])('is refused when the config is %s', async (_what, config) => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage(config);
    expect(await ageOf(registry, digest)).toEqual([
      expect.stringContaining('got a malformed config'),
    ]);
  });

  it('is refused when the config is too large to be read', async () => {
    const registry = new ImageRegistry();
    const config = {
      digest: NO_DIGEST,
      size: 1024 * 1024 + 1,
      mediaType: 'application/vnd.oci.image.config.v1+json',
    };
    const { digest } = registry.push({ schemaVersion: 2, config, layers: [] });
    expect((await ageOf(registry, digest))[0]).toContain('got a config of 1048577 bytes');
    expect(registry.asked).not.toContain(NO_DIGEST);
  });

  it('is refused when the image is something else, such as a chart', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage(
      { ...LINUX, created: YOUNG },
      'application/vnd.cncf.helm.config.v1+json',
    );
    expect((await ageOf(registry, digest))[0]).toContain('got what is no container image');
  });

  it('is refused when the registry has no config', async () => {
    const registry = new ImageRegistry();
    const config = {
      digest: NO_DIGEST,
      size: 2,
      mediaType: 'application/vnd.oci.image.config.v1+json',
    };
    const { digest } = registry.push({ schemaVersion: 2, config, layers: [] });
    expect((await ageOf(registry, digest))[0]).toContain('got no config in the registry');
  });

  it('is that of one day in words', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage({ ...LINUX, created: OLD });
    expect(await ageOf(registry, digest, 1)).toEqual([
      'expected an image created at most 1 day ago, got one of 2020-01-01',
    ]);
  });

  it('is asked of every image of an index', async () => {
    const registry = new ImageRegistry();
    expect(await ageOf(registry, indexOf(registry, YOUNG, YOUNG).digest)).toEqual([]);
    expect(await ageOf(registry, indexOf(registry, YOUNG, OLD).digest)).toEqual([
      'expected an image created at most 30 days ago, got one of 2020-01-01 for linux/arm64',
    ]);
    expect(await ageOf(registry, indexOf(registry, OLD, OLD, undefined).digest)).toEqual([
      'expected an image created at most 30 days ago, got one of 2020-01-01 for linux/amd64 and 1 more',
      'expected an image created at most 30 days ago, got one that does not say when for linux/s390x',
    ]);
  });

  it('is not asked of what BuildKit attests, which no node can run', async () => {
    const registry = new ImageRegistry();
    const image = { ...registry.pushImage({ ...LINUX, created: YOUNG }), platform: LINUX };
    const attestation = { ...registry.push('no image'), platform: UNKNOWN };
    const { digest } = registry.pushIndex([image, attestation]);
    expect(await ageOf(registry, digest)).toEqual([]);
    expect(registry.asked).not.toContain(attestation.digest);
  });

  it('is asked of an image that only claims in an annotation to be an attestation', async () => {
    const registry = new ImageRegistry();
    const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
    const image = { ...registry.pushImage({ ...ARM, created: OLD }), platform: ARM, annotations };
    const { digest } = registry.pushIndex([image]);
    expect(await ageOf(registry, digest)).toHaveLength(1);
  });

  it('is asked of an image without a platform in the index, which a node looks up', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushIndex([registry.pushImage({ ...ARM, created: OLD })]);
    expect(await ageOf(registry, digest)).toEqual([
      'expected an image created at most 30 days ago, got one of 2020-01-01 for linux/arm64',
    ]);
  });

  it('is refused for a manifest that the registry does not have', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushIndex([{ digest: NO_DIGEST, platform: LINUX }]);
    expect((await ageOf(registry, digest))[0]).toContain('got no manifest sha256:0000');
  });

  it('is refused for an index within an index', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushIndex([indexOf(registry, YOUNG)]);
    expect((await ageOf(registry, digest))[0]).toContain('got an index within the index');
  });

  it('is not known when an image of the index cannot be fetched', async () => {
    const registry = new ImageRegistry();
    const young = registry.pushImage({ ...LINUX, created: YOUNG });
    const { digest } = registry.pushIndex([young, { ...registry.push('gone'), platform: ARM }]);
    registry.fail(registry.push('gone').digest);
    await expect(ageOf(registry, digest)).rejects.toMatchObject({ code: 'registry-unavailable' });
  });

  it('is refused for one image though another cannot be fetched', async () => {
    const registry = new ImageRegistry();
    const gone = registry.push('gone');
    registry.fail(gone.digest);
    const { digest } = registry.pushIndex([gone, registry.pushImage({ ...LINUX, created: OLD })]);
    expect(await ageOf(registry, digest)).toHaveLength(1);
  });

  it('is refused by what contradicts itself, whatever else there is', async () => {
    const registry = new ImageRegistry();
    const forged = registry.push('forged');
    registry.fail(forged.digest, 'registry-corrupt');
    const { digest } = registry.pushIndex([registry.pushImage({ ...LINUX, created: OLD }), forged]);
    await expect(ageOf(registry, digest)).rejects.toMatchObject({ code: 'registry-corrupt' });
  });
});

describe('a manifest', () => {
  const config = {
    digest: NO_DIGEST,
    size: 2,
    mediaType: 'application/vnd.oci.image.config.v1+json',
  };
  const child = { digest: NO_DIGEST, platform: LINUX };

  it.each([
    ['is no JSON', '{', 'a manifest that is no JSON object'],
    ['is a list', [], 'a manifest that is no JSON object'],
    ['is of schema 1', { schemaVersion: 1, fsLayers: [] }, 'what is neither'],
    ['is empty', {}, 'what is neither'],
    ['is both', { schemaVersion: 2, config, layers: [], manifests: [child] }, 'what is both'],
    [
      'is an index with layers',
      { schemaVersion: 2, layers: [], manifests: [child] },
      'what is both',
    ],
    [
      'is an index that calls itself an image',
      { schemaVersion: 2, mediaType: OCI_MANIFEST, manifests: [child] },
      'a media type that contradicts',
    ],
    [
      'is an image that calls itself an index',
      { schemaVersion: 2, mediaType: OCI_INDEX, config, layers: [] },
      'a media type that contradicts',
    ],
    [
      'calls itself by a number',
      { schemaVersion: 2, mediaType: 1, config, layers: [] },
      'a media type that contradicts',
    ],
    [
      'has a prototype alone',
      '{"__proto__":{"schemaVersion":2,"manifests":[]}}',
      'what is neither',
    ],
    [
      'lists images twice',
      `{"schemaVersion":2,"manifests":[${JSON.stringify(child)}],"manifests":[]}`,
      'what others may read differently',
    ],
    [
      'is an index for those who read names in any case',
      { schemaVersion: 2, config, layers: [], Manifests: [child] },
      'what others may read differently',
    ],
    [
      'is an index for those who take a long s for an s',
      { schemaVersion: 2, config, layers: [], 'manife\u017fts': [child] },
      'what others may read differently',
    ],
    [
      'has a config whose digest is written twice',
      { schemaVersion: 2, config: { ...config, Digest: NO_DIGEST }, layers: [] },
      'a malformed manifest (config)',
    ],
    [
      'lists an image with two digests',
      { schemaVersion: 2, manifests: [{ ...child, DIGEST: NO_DIGEST }] },
      'a malformed index (manifests.0)',
    ],
    [
      'lists a platform with two systems',
      { schemaVersion: 2, manifests: [{ ...child, platform: { ...LINUX, OS: 'windows' } }] },
      'a malformed index (manifests.0.platform)',
    ],
    ['has no layers', { schemaVersion: 2, config }, 'a malformed manifest (layers)'],
    [
      'has a config that is null',
      { schemaVersion: 2, config: null, layers: [] },
      'a malformed manifest (config)',
    ],
    [
      'has a config of a wrong digest',
      { schemaVersion: 2, config: { ...config, digest: 'sha256:../../x' }, layers: [] },
      'a malformed manifest (config.digest)',
    ],
    [
      'has a config of a negative size',
      { schemaVersion: 2, config: { ...config, size: -1 }, layers: [] },
      'a malformed manifest (config.size)',
    ],
    [
      'has another schema',
      { schemaVersion: 1, config, layers: [] },
      'a malformed manifest (schemaVersion)',
    ],
    ['lists null', { schemaVersion: 2, manifests: null }, 'a malformed index (manifests)'],
    ['lists nothing', { schemaVersion: 2, manifests: [] }, 'an index without images'],
    [
      'lists attestations alone',
      { schemaVersion: 2, manifests: [{ ...child, platform: UNKNOWN }] },
      'an index without images',
    ],
    ['lists a text', { schemaVersion: 2, manifests: ['x'] }, 'a malformed index (manifests.0)'],
    [
      'lists a platform that is a text',
      { schemaVersion: 2, manifests: [{ ...child, platform: 'linux' }] },
      'a malformed index (manifests.0.platform)',
    ],
    [
      'lists too much',
      { schemaVersion: 2, manifests: Array.from({ length: 65 }, () => child) },
      'an index of 65 manifests, more than 64',
    ],
  ])('that %s is refused by all who look into it', async (_what, body, message) => {
    const registry = new ImageRegistry();
    const { digest } = registry.push(body);
    expect((await ageOf(registry, digest))[0]).toContain(`got ${message}`);
    expect((await platformsOf(registry, digest, 'linux/amd64'))[0]).toContain(`got ${message}`);
  });
});

describe('the platforms of an image', () => {
  const V7 = { os: 'linux', architecture: 'arm', variant: 'v7' };
  const V8 = { ...ARM, variant: 'v8' };

  it.each([
    ['all that there are', [LINUX, ARM], ['linux/amd64', 'linux/arm64']],
    ['one of those', [LINUX, ARM], ['linux/arm64']],
    ['one with the variant that goes without saying', [V8], ['linux/arm64']],
    ['one whose variant is written where the index has none', [ARM], ['linux/arm64/v8']],
    ['arm without a variant, which is v7', [V7], ['linux/arm']],
    ['one whose variant is null', [{ ...LINUX, variant: null }], ['linux/amd64']],
    ['one beside an attestation', [UNKNOWN, LINUX], ['linux/amd64']],
  ])('will do when the rule asks for %s', async (_what, offered, asked) => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushIndex(
      offered.map((platform) => ({ digest: NO_DIGEST, platform })),
    );
    expect(await platformsOf(registry, digest, ...asked)).toEqual([]);
  });

  it.each([
    [
      'one that is missing',
      [LINUX],
      ['linux/amd64', 'linux/arm64'],
      'linux/arm64, got one for linux/amd64',
    ],
    [
      'several that are missing',
      [V7],
      ['linux/amd64', 'linux/arm64'],
      'linux/amd64, linux/arm64, got one for linux/arm',
    ],
    ['another variant', [V7], ['linux/arm/v6'], 'linux/arm/v6, got one for linux/arm'],
    ['another system', [LINUX], ['windows/amd64'], 'windows/amd64, got one for linux/amd64'],
    [
      'what differs in case',
      [{ ...LINUX, os: 'Linux' }],
      ['linux/amd64'],
      'linux/amd64, got one for Linux/amd64',
    ],
    [
      'a newer processor than any',
      [{ ...LINUX, variant: 'v3' }],
      ['linux/amd64'],
      'linux/amd64, got one for linux/amd64/v3',
    ],
    [
      'the platform of an attestation',
      [UNKNOWN, LINUX],
      ['unknown/unknown'],
      'unknown/unknown, got one for linux/amd64',
    ],
  ])('are refused when the rule asks for %s', async (_what, offered, asked, message) => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushIndex(
      offered.map((platform) => ({ digest: NO_DIGEST, platform })),
    );
    expect(await platformsOf(registry, digest, ...asked)).toEqual([
      `expected an image for ${message}`,
    ]);
  });

  it('are those of its config when there is one image alone', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage(V8);
    expect(await platformsOf(registry, digest, 'linux/arm64')).toEqual([]);
    expect(await platformsOf(registry, digest, 'linux/arm64', 'linux/amd64')).toEqual([
      'expected an image for linux/amd64, got one for linux/arm64',
    ]);
  });

  it('are those of the configs where the index does not say', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushIndex([registry.pushImage(LINUX), registry.pushImage(ARM)]);
    expect(await platformsOf(registry, digest, 'linux/amd64', 'linux/arm64')).toEqual([]);
    expect(await platformsOf(registry, digest, 'linux/s390x')).toEqual([
      'expected an image for linux/s390x, got one for linux/amd64, linux/arm64',
    ]);
  });

  it('are refused when the one config names none', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage({ created: YOUNG });
    expect(await platformsOf(registry, digest, 'linux/amd64')).toEqual([
      'expected an image for linux/amd64, got one for none',
    ]);
  });

  it('are not known when what cannot be fetched might be the missing one', async () => {
    const registry = new ImageRegistry();
    const gone = registry.push('gone');
    registry.fail(gone.digest);
    const { digest } = registry.pushIndex([gone, { digest: NO_DIGEST, platform: LINUX }]);
    expect(await platformsOf(registry, digest, 'linux/amd64')).toEqual([]);
    await expect(platformsOf(registry, digest, 'linux/arm64')).rejects.toMatchObject({
      code: 'registry-unavailable',
    });
  });

  it('are listed up to a length that can be read', async () => {
    const registry = new ImageRegistry();
    const manifests = Array.from({ length: 60 }, (_, index) => ({
      digest: NO_DIGEST,
      platform: { os: 'linux', architecture: `x${index}`.padEnd(200, 'x') },
    }));
    const [refusal = ''] = await platformsOf(
      registry,
      registry.pushIndex(manifests).digest,
      'linux/amd64',
    );
    expect(refusal).toMatch(/ and 52 more$/);
    expect(refusal.length).toBeLessThan(500);
  });
});

describe('the tag beside a digest', () => {
  async function tagOf(registry: ImageRegistry, digest: string, written: string) {
    return checkTagDigest(await registry.resolve(digest, written), registry.context);
  }

  it('will do when it points at the digest', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage(LINUX);
    registry.tag('1.2', digest);
    expect(await tagOf(registry, digest, `r.example.com/app:1.2@${digest}`)).toEqual([]);
  });

  it('asks nothing when there is no digest: the tag is what was judged', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage(LINUX);
    registry.tag('1.2', digest);
    expect(await tagOf(registry, digest, 'r.example.com/app:1.2')).toEqual([]);
  });

  it('is refused when it points at something else', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage(LINUX);
    const other = registry.pushImage(ARM).digest;
    registry.tag('1.2', other);
    expect(await tagOf(registry, digest, `r.example.com/app:1.2@${digest}`)).toEqual([
      `expected tag 1.2 to point at ${digest}, got ${other}`,
    ]);
  });

  it('is refused when it points at an index that holds the digest', async () => {
    const registry = new ImageRegistry();
    const image = registry.pushImage(LINUX);
    registry.tag('1.2', registry.pushIndex([{ ...image, platform: LINUX }]).digest);
    const refusals = await tagOf(registry, image.digest, `r.example.com/app:1.2@${image.digest}`);
    expect(refusals).toHaveLength(1);
  });

  it('is refused when there is no such tag', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage(LINUX);
    expect(await tagOf(registry, digest, `r.example.com/app:1.2@${digest}`)).toEqual([
      `expected tag 1.2 to point at ${digest}, got no such tag in the registry`,
    ]);
  });

  it('is asked for: a digest alone is refused', async () => {
    const registry = new ImageRegistry();
    const { digest } = registry.pushImage(LINUX);
    expect(await tagOf(registry, digest, `r.example.com/app@${digest}`)).toEqual([
      'expected a tag beside the digest (name:tag@sha256:...), got none',
    ]);
  });

  it.each(['registry-unavailable', 'registry-corrupt'] as const)(
    'is not known when the registry says %s',
    async (code) => {
      const registry = new ImageRegistry();
      const { digest } = registry.pushImage(LINUX);
      registry.fail('1.2', code);
      const asked = tagOf(registry, digest, `r.example.com/app:1.2@${digest}`);
      await expect(asked).rejects.toMatchObject({ code });
    },
  );
});
