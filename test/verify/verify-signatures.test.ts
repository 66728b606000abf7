import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ImageCheckerError } from '../../src/errors.ts';
import type { SignatureRequirement } from '../../src/rules/registry-requirement.ts';
import type { ResolvedImage } from '../../src/verify/resolved-image.ts';
import { verifySignatures } from '../../src/verify/verify-signatures.ts';
import {
  attestationLayer,
  bundleOf,
  envelopeOf,
  newSigningKey,
  pushBundle,
  pushTagged,
  signBundle,
  signTagged,
  simpleSigningLayer,
} from '../support/cosign.ts';
import type { Signing } from '../support/cosign.ts';
import { contextOf, newMemoryRegistry, pushImage, resolve } from '../support/memory-registry.ts';
import type { MemoryRegistry } from '../support/memory-registry.ts';
import { requireSignature, trustKeys } from '../support/trust.ts';

const REPOSITORY = 'registry.example.com/team/app';
const MIRROR = 'mirror.example.com/team/app';
const SIGN = 'https://sigstore.dev/cosign/sign/v1';

const key = newSigningKey('P-256', 'release.pub');
const second = newSigningKey('P-256', 'build.pub');
const stranger = newSigningKey('P-256', 'stranger.pub');
const byKey = requireSignature(trustKeys(key));

let registry: MemoryRegistry;
let image: ResolvedImage;
let other: ResolvedImage;
let signing: Signing;

beforeEach(async () => {
  registry = newMemoryRegistry();
  image = await pushImage(registry, REPOSITORY);
  other = await pushImage(registry, REPOSITORY, 'another');
  signing = { key, repository: REPOSITORY, digest: image.digest };
});

function verify(...requirements: readonly SignatureRequirement[]): Promise<readonly string[]> {
  return verifySignatures(image, requirements, contextOf(registry));
}

const refusal = (rest: string): string[] => [
  `expected a signature by release.pub, got none${rest === '' ? '' : `; ${rest}`}`,
];

/** The two ways to sign, so that what holds for one is asked of the other. */
const WAYS: readonly { way: string; sign: (signing: Signing) => unknown }[] = [
  {
    way: 'under the tag',
    sign: (each) => {
      signTagged(registry, each);
    },
  },
  { way: 'in a bundle', sign: (each) => signBundle(registry, each) },
];

describe.each(WAYS)('an image signed $way', ({ sign }) => {
  it('is accepted', async () => {
    sign(signing);
    expect(await verify(byKey)).toEqual([]);
  });

  it.each<[string, Partial<Signing>, string]>([
    ['by another key', { key: stranger }, 'by no trusted key'],
    [
      'over a payload that was changed afterwards',
      { tamper: (payload) => Buffer.concat([payload, Buffer.from(' ')]) },
      'by no trusted key',
    ],
    [
      'and said to be something else',
      { payload: { critical: 1, _type: 'x' } },
      'no signature of an image',
    ],
    [
      'as an attestation',
      {
        payload: {
          critical: { type: 'atomic container signature', image: {}, identity: {} },
          predicateType: 'https://slsa.dev/provenance/v1',
        },
      },
      'no signature of an image',
    ],
    [
      'with a payload that is nested too deeply',
      { annotations: { deep: JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) as unknown } },
      'no signature of an image',
    ],
  ])('is refused when signed %s', async (_what, odd, why) => {
    sign({ ...signing, ...odd });
    expect(await verify(byKey)).toEqual(refusal(`1 do not count: ${why}`));
  });

  it('is refused when the signature is of another image, put where this one’s lie', async () => {
    const transplanted = { ...signing, digest: other.digest };
    pushTagged(registry, signing, [simpleSigningLayer(registry, transplanted)]);
    pushBundle(registry, signing, bundleOf(signing, envelopeOf(transplanted)));
    expect(await verify(byKey)).toEqual(refusal('2 do not count: for another image (2)'));
  });

  it.each<[string, Readonly<Record<string, unknown>> | undefined, string]>([
    ['it lacks', { team: 'a' }, 'without the annotation env'],
    ['it has none of', undefined, 'without the annotation env'],
    ['has another value', { env: 'test' }, 'with another value of the annotation env'],
    ['has a longer value', { env: 'production' }, 'with another value of the annotation env'],
    ['has no text', { env: ['prod'] }, 'with another value of the annotation env'],
  ])('is refused when the annotation asked for is one that %s', async (_what, annotations, why) => {
    sign({ ...signing, ...(annotations && { annotations }) });
    const wanted = { ...byKey, annotations: new Map([['env', 'prod']]) };
    expect(await verify(wanted)).toEqual(refusal(`1 do not count: ${why}`));
  });

  it('is accepted with the annotations asked for, among others', async () => {
    sign({ ...signing, annotations: { env: 'prod', team: 'a', empty: '' } });
    const annotations = new Map([
      ['env', 'prod'],
      ['empty', ''],
    ]);
    expect(await verify({ ...byKey, annotations })).toEqual([]);
  });

  it('is refused when it asks for annotations that every object has', async () => {
    sign(signing);
    const wanted = { ...byKey, annotations: new Map([['constructor', 'x']]) };
    expect(await verify(wanted)).toEqual(
      refusal('1 do not count: without the annotation constructor'),
    );
  });

  it('is refused when the annotations are on two signatures', async () => {
    sign({ ...signing, annotations: { env: 'prod' } });
    signBundle(registry, { ...signing, annotations: { team: 'a' } });
    const annotations = new Map([
      ['env', 'prod'],
      ['team', 'a'],
    ]);
    expect(await verify({ ...byKey, annotations })).toEqual(
      refusal('2 do not count: without the annotation team, without the annotation env'),
    );
  });
});

describe('an image', () => {
  it('without signatures is refused', async () => {
    expect(await verify(byKey)).toEqual(refusal(''));
  });

  it('that is a child of a signed index is refused', async () => {
    const index = registry.putManifest(REPOSITORY, {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ digest: image.digest, size: 1 }],
    });
    signTagged(registry, { ...signing, digest: index });
    signBundle(registry, { ...signing, digest: index });
    expect(await verify(byKey)).toEqual(refusal(''));
    image = await resolve(registry, REPOSITORY, index);
    expect(await verify(byKey)).toEqual([]);
  });

  it('is accepted with a good signature among bad ones', async () => {
    signTagged(
      registry,
      { ...signing, key: stranger },
      { ...signing, digest: other.digest },
      signing,
    );
    pushBundle(registry, signing, { junk: true });
    expect(await verify(byKey)).toEqual([]);
  });

  it.each<[string, object]>([
    ['of a wrong size', { size: 17 }],
    ['that is said to be a bundle', { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }],
  ])('is accepted beside a copy of its signature %s', async (_what, wrong) => {
    const layer = simpleSigningLayer(registry, signing);
    const subject = { digest: image.digest, size: 1 };
    const copy = { ...layer, ...wrong };
    registry.putManifest(REPOSITORY, { schemaVersion: 2, layers: [copy], subject });
    pushTagged(registry, signing, [layer]);
    expect(await verify(byKey)).toEqual([]);
  });

  it('is refused when an attestation is put under the tag of signatures', async () => {
    const statement = { predicateType: SIGN, predicate: {} };
    pushTagged(registry, signing, [attestationLayer(registry, signing, statement)]);
    pushTagged(registry, signing, [attestationLayer(registry, signing, statement)], 'att');
    expect(await verify(byKey)).toEqual(refusal(''));
  });

  it('is refused by a bundle about several images, none of which it is', async () => {
    const subject = [{ digest: { sha256: '0'.repeat(64), sha512: image.digest.slice(7) } }];
    signBundle(registry, { ...signing, payload: { subject } });
    expect(await verify(byKey)).toEqual(refusal('1 do not count: for another image'));
  });

  it('is accepted by a bundle about several images, of which it is one', async () => {
    const [, sha256 = ''] = image.digest.split(':');
    const subject = [{ digest: { sha256: '0'.repeat(64) } }, { digest: { sha256 } }];
    signBundle(registry, { ...signing, payload: { subject } });
    expect(await verify(byKey)).toEqual([]);
  });
});

describe('the repository that a signature was made for', () => {
  const copied = (reference: string): void => {
    const layer = simpleSigningLayer(registry, { ...signing, repository: reference }, REPOSITORY);
    pushTagged(registry, signing, [layer]);
  };
  const REFUSED = refusal('1 do not count: for another repository');

  it.each([
    ['another one', 'registry.example.com/team/other'],
    ['a longer one', `${REPOSITORY}/x`],
    ['one of another registry', MIRROR],
    ['one of another port', 'registry.example.com:5000/team/app'],
    ['one without its registry', 'team/app'],
    ['one in other letters', 'Registry.example.com/team/app'],
    ['none', ''],
    ['no reference at all', 'registry.example.com/Team/App'],
  ])('may not be %s', async (_what, reference) => {
    copied(reference);
    expect(await verify(byKey)).toEqual(REFUSED);
  });

  it('may be one that is listed', async () => {
    copied(MIRROR);
    expect(await verify({ ...byKey, repositories: [MIRROR] })).toEqual([]);
    expect(await verify({ ...byKey, repositories: [`${MIRROR}x`] })).toEqual(REFUSED);
  });

  it('may name a tag', async () => {
    copied(`${REPOSITORY}:v1`);
    expect(await verify(byKey)).toEqual([]);
  });

  it('may be Docker Hub by the name that cosign gives it', async () => {
    const hub = 'docker.io/library/nginx';
    image = await pushImage(registry, hub);
    signing = { key, repository: 'index.docker.io/library/nginx', digest: image.digest };
    const layer = simpleSigningLayer(registry, signing, hub);
    pushTagged(registry, { ...signing, repository: hub }, [layer]);
    expect(await verify(byKey)).toEqual([]);
  });
});

describe('several signers', () => {
  const both = trustKeys(key, second);

  it.each<[string, readonly (typeof key)[], string]>([
    ['one', [key], '1 (release.pub)'],
    ['one twice', [key, key], '1 (release.pub)'],
    ['one and a stranger', [key, stranger], '1 (release.pub); 1 do not count: by no trusted key'],
  ])('are not met by %s', async (_what, signers, got) => {
    const twice = signers.map((each, run) => ({ ...signing, key: each, annotations: { run } }));
    signTagged(registry, ...twice);
    expect(await verify(requireSignature(both, { threshold: 2 }))).toEqual([
      `expected signatures by 2 different signers of release.pub or build.pub, got ${got}`,
    ]);
  });

  it('are met by two different keys in different places', async () => {
    signTagged(registry, signing);
    signBundle(registry, { ...signing, key: second });
    expect(await verify(requireSignature(both, { threshold: 2 }))).toEqual([]);
  });

  it('are not met by one key that the rules name twice', async () => {
    signTagged(registry, signing);
    const again = { ...key, trusted: { ...key.trusted, source: 'copy.pub' } };
    const twice = requireSignature(trustKeys(key, again), { threshold: 2 });
    expect(await verify(twice)).toHaveLength(1);
  });

  it('are met by every entry of its own, and each that is not is told', async () => {
    signTagged(registry, signing);
    const bySecond = requireSignature(trustKeys(second));
    expect(await verify(byKey, bySecond)).toEqual([
      'expected a signature by build.pub, got none; 1 do not count: by no trusted key',
    ]);
    signBundle(registry, { ...signing, key: second });
    expect(await verify(byKey, bySecond)).toEqual([]);
  });
});

describe('what cannot be found out', () => {
  async function codeOf(): Promise<string> {
    try {
      await verify(byKey);
    } catch (thrown) {
      return (thrown as ImageCheckerError).code;
    }
    return 'none';
  }

  it('does not matter when a signature that was found is enough', async () => {
    signTagged(registry, signing);
    registry.fail(signBundle(registry, { ...signing, key: second }));
    expect(await verify(byKey)).toEqual([]);
  });

  it('is thrown when it could be the signature that is missing', async () => {
    signTagged(registry, { ...signing, key: stranger });
    registry.fail(signBundle(registry, signing));
    expect(await codeOf()).toBe('registry-unavailable');
  });

  it('is thrown as what nothing excuses when a layer has another size than it says', async () => {
    pushTagged(registry, signing, [{ ...simpleSigningLayer(registry, signing), size: 17 }]);
    registry.fail(signBundle(registry, signing));
    expect(await codeOf()).toBe('registry-corrupt');
  });

  it('is thrown as what nothing excuses when there is no time left to look', async () => {
    signTagged(registry, signing);
    const over = { ...contextOf(registry), signal: AbortSignal.abort() };
    await expect(verifySignatures(image, [byKey], over)).rejects.toMatchObject({
      code: 'registry-limited',
    });
  });

  it('is thrown as what it is when an answer contradicts itself, whatever else was found', async () => {
    signTagged(registry, signing);
    registry.fail(signBundle(registry, signing), 'registry-corrupt');
    expect(await codeOf()).toBe('registry-corrupt');
  });
});
