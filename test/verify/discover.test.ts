import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ImageCheckerError } from '../../src/errors.ts';
import { discoverArtefacts } from '../../src/verify/discover.ts';
import type { Discovery } from '../../src/verify/discover.ts';
import type { ResolvedImage } from '../../src/verify/resolved-image.ts';
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
import { contextOf, newMemoryRegistry, pushImage } from '../support/memory-registry.ts';
import type { MemoryRegistry } from '../support/memory-registry.ts';

const REPOSITORY = 'registry.example.com/team/app';
const VULN = { predicateType: 'https://cosign.sigstore.dev/attestation/vuln/v1', predicate: {} };
const key = newSigningKey();

let registry: MemoryRegistry;
let image: ResolvedImage;
let signing: Signing;

beforeEach(async () => {
  registry = newMemoryRegistry();
  image = await pushImage(registry, REPOSITORY);
  signing = { key, repository: REPOSITORY, digest: image.digest };
});

function discover(kind: 'signature' | 'attestation' = 'signature'): Promise<Discovery> {
  return discoverArtefacts(image, kind, contextOf(registry));
}

function placesOf({ artefacts }: Discovery): string[] {
  return artefacts.map(({ place }) => place);
}

const tagOf = (suffix: string): string => `${image.digest.replace(':', '-')}.${suffix}`;

describe('signatures are found', () => {
  it('in the layers of the tag that cosign 2 writes', async () => {
    signTagged(registry, signing, { ...signing, annotations: { env: 'prod' } });
    const found = await discover();
    expect(placesOf(found)).toEqual([`${tagOf('sig')}, layer 1`, `${tagOf('sig')}, layer 2`]);
    expect(found.unusable).toEqual([]);
  });

  it('in the bundles of what refers to the image, as cosign 3 writes them', async () => {
    const digest = signBundle(registry, signing);
    const found = await discover();
    expect(placesOf(found)).toEqual([`${digest}, layer 1`]);
    expect(found.artefacts[0]?.payloadType).toBe('application/vnd.in-toto+json');
  });

  it('in both places at once', async () => {
    signTagged(registry, signing);
    signBundle(registry, signing);
    expect((await discover()).artefacts).toHaveLength(2);
  });

  it('once, where the same lies in two places, and its blob is fetched once', async () => {
    const layer = simpleSigningLayer(registry, signing);
    pushTagged(registry, signing, [layer, layer]);
    const found = await discover();
    expect(found.artefacts).toHaveLength(1);
    expect(registry.requests.filter((request) => request.startsWith('blob'))).toHaveLength(1);
  });

  it('by two keys over one payload, whose blob is fetched once', async () => {
    const other = { ...signing, key: newSigningKey() };
    signTagged(registry, signing, other);
    expect((await discover()).artefacts).toHaveLength(2);
    expect(registry.requests.filter((request) => request.startsWith('blob'))).toHaveLength(1);
  });
});

describe('attestations are found', () => {
  it('in the tag that cosign 2 writes', async () => {
    pushTagged(registry, signing, [attestationLayer(registry, signing, VULN)], 'att');
    expect(placesOf(await discover('attestation'))).toEqual([`${tagOf('att')}, layer 1`]);
  });

  it('in bundles', async () => {
    const bundle = bundleOf(signing, envelopeOf(signing, VULN));
    pushBundle(registry, signing, bundle, VULN);
    expect((await discover('attestation')).artefacts).toHaveLength(1);
  });

  it('not among signatures, nor signatures among them', async () => {
    pushTagged(registry, signing, [attestationLayer(registry, signing, VULN)], 'att');
    pushBundle(registry, signing, bundleOf(signing, envelopeOf(signing, VULN)), VULN);
    signTagged(registry, signing);
    signBundle(registry, signing);
    expect((await discover('signature')).artefacts).toHaveLength(2);
    expect((await discover('attestation')).artefacts).toHaveLength(2);
  });
});

describe('nothing is found', () => {
  it('where nothing is', async () => {
    expect(await discover()).toEqual({ artefacts: [], unusable: [], failures: [] });
  });

  it.each<[string, () => unknown, string]>([
    [
      'in a bundle that refers to the image and is said to be about another',
      () => {
        const digest = signBundle(registry, signing, { subject: `sha256:${'0'.repeat(64)}` });
        registry.referrers = () =>
          Promise.resolve([{ digest, mediaType: 'application/json', size: 1 }]);
      },
      'for another image (subject)',
    ],
    [
      'in a bundle under the tag, which has no subject',
      () => {
        const layer = registry.putBlob(REPOSITORY, Buffer.from('{}'));
        const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
        return pushTagged(registry, signing, [{ mediaType, ...layer }]);
      },
      'for another image (subject)',
    ],
    [
      'in a blob that is no bundle',
      () => pushBundle(registry, signing, { mediaType: 'application/json' }),
      'not readable',
    ],
    [
      'in a bundle with a certificate and a chain, of which readers would take different ones',
      () => {
        const bundle = bundleOf(signing, envelopeOf(signing)) as { verificationMaterial: object };
        const certificate = { rawBytes: 'AAAA' };
        const x509CertificateChain = { certificates: [certificate] };
        Object.assign(bundle.verificationMaterial, { certificate, x509CertificateChain });
        return pushBundle(registry, signing, bundle);
      },
      'not readable',
    ],
    [
      'in a bundle that is nested too deeply',
      () => {
        const deep: unknown = JSON.parse(`${'['.repeat(65)}${']'.repeat(65)}`);
        return pushBundle(registry, signing, { ...bundleOf(signing, envelopeOf(signing)), deep });
      },
      'not readable',
    ],
    [
      'in a layer without a signature',
      () => {
        const layer = { ...simpleSigningLayer(registry, signing), annotations: {} };
        return pushTagged(registry, signing, [layer]);
      },
      'not readable',
    ],
    [
      'in a layer whose blob is gone',
      () => {
        const layer = simpleSigningLayer(registry, signing) as { digest: string };
        registry.remove(REPOSITORY, layer.digest);
        return pushTagged(registry, signing, [layer]);
      },
      'missing in the registry',
    ],
    [
      'in a layer that is too large',
      () => {
        const layer = { ...simpleSigningLayer(registry, signing), size: 300_000 };
        return pushTagged(registry, signing, [layer]);
      },
      'too large (300000 bytes)',
    ],
    [
      'in an index',
      () => {
        registry.putManifest(REPOSITORY, { schemaVersion: 2, manifests: [] }, [tagOf('sig')]);
      },
      'no manifest with layers',
    ],
    [
      'in a layer whose digest is none, which no registry could be asked for',
      () => {
        const layer = { ...simpleSigningLayer(registry, signing), digest: 'foo' };
        return pushTagged(registry, signing, [layer]);
      },
      'no manifest with layers',
    ],
    [
      'in a manifest of more than 64 layers',
      () => {
        const layer = simpleSigningLayer(registry, signing);
        return pushTagged(registry, signing, Array<object>(65).fill(layer));
      },
      'too many layers (65)',
    ],
    [
      'in a manifest of many layers that are none',
      () => registry.putManifest(REPOSITORY, { layers: Array(5000).fill(1) }, [tagOf('sig')]),
      'too many layers (5000)',
    ],
    [
      'in a manifest of more parts than cosign ever writes',
      () => registry.putManifest(REPOSITORY, { layers: Array(20_000).fill(1) }, [tagOf('sig')]),
      'no manifest with layers',
    ],
    [
      'in a layer with a digest that a registry need not know',
      () => {
        const layer = simpleSigningLayer(registry, signing);
        pushTagged(registry, signing, [{ ...layer, digest: `sha512:${'0'.repeat(128)}` }]);
      },
      'no manifest with layers',
    ],
    [
      'in a manifest that is too large',
      () => {
        const layers = [{ annotations: { a: 'a'.repeat(1024 * 1024) } }];
        return registry.putManifest(REPOSITORY, { layers }, [tagOf('sig')]);
      },
      'too large a manifest (1048613 bytes)',
    ],
    [
      'in an envelope of more signatures than are looked at',
      () => {
        const envelope = envelopeOf(signing) as { signatures: unknown[] };
        envelope.signatures = Array<unknown>(9).fill(envelope.signatures[0]);
        return pushBundle(registry, signing, bundleOf(signing, envelope));
      },
      'not readable',
    ],
    [
      'in an envelope without signatures',
      () => {
        const envelope = { ...envelopeOf(signing), signatures: [] };
        return pushBundle(registry, signing, bundleOf(signing, envelope));
      },
      'not readable',
    ],
    [
      'in a bundle with a chain of more certificates than are looked at',
      () => {
        const bundle = bundleOf(signing, envelopeOf(signing));
        const certificates = Array(11).fill({ rawBytes: 'AAAA' });
        const verificationMaterial = { x509CertificateChain: { certificates } };
        return pushBundle(registry, signing, { ...bundle, verificationMaterial });
      },
      'not readable',
    ],
  ])('%s', async (_what, push, reason) => {
    push();
    const { artefacts, unusable, failures } = await discover();
    expect({ artefacts, failures }).toEqual({ artefacts: [], failures: [] });
    expect(unusable.map((each) => each.reason)).toEqual([reason]);
  });
});

describe('what there is too much of', () => {
  it('is looked at up to 32 signatures, and said', async () => {
    const layers = Array.from({ length: 40 }, (_value, index) =>
      simpleSigningLayer(registry, { ...signing, annotations: { index } }),
    );
    pushTagged(registry, signing, layers);
    const { artefacts, unusable } = await discover();
    expect(artefacts).toHaveLength(32);
    expect(unusable).toEqual([{ place: '8 more signatures', reason: 'not looked at' }]);
  });

  it('is looked at up to 64 signatures in envelopes', async () => {
    for (let index = 0; index < 10; index++) {
      const envelope = envelopeOf({ ...signing, annotations: { index } }) as {
        signatures: unknown[];
      };
      envelope.signatures = Array<unknown>(8).fill(envelope.signatures[0]);
      pushBundle(registry, signing, bundleOf(signing, envelope));
    }
    const { artefacts, unusable } = await discover();
    expect(artefacts).toHaveLength(8);
    expect(unusable.map(({ reason }) => reason)).toEqual(['not looked at', 'not looked at']);
  });

  it('is looked at up to 64 referrers', async () => {
    for (let index = 0; index < 70; index++) {
      signBundle(registry, { ...signing, annotations: { index } });
    }
    const { artefacts, unusable } = await discover();
    expect(artefacts).toHaveLength(32);
    expect(unusable.map(({ place }) => place)).toEqual(['6 more referrers', '32 more signatures']);
    expect(registry.requests.filter((request) => request.startsWith('manifest'))).toHaveLength(66);
  });
});

describe('what cannot be found out', () => {
  it('is remembered when the deadline is over', async () => {
    signTagged(registry, signing);
    signBundle(registry, signing);
    const context = { ...contextOf(registry), signal: AbortSignal.abort() };
    const { artefacts, failures } = await discoverArtefacts(image, 'signature', context);
    expect(artefacts).toEqual([]);
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['registry-limited']));
  });

  it('is remembered as the registry’s silence when that took all the time', async () => {
    signTagged(registry, signing);
    const deadline = new AbortController();
    const hanging = contextOf({
      ...registry,
      async referrers() {
        await sleep(50);
        deadline.abort();
        throw new ImageCheckerError('registry-unavailable', { message: 'no answer' });
      },
    });
    const context = { ...hanging, signal: deadline.signal };
    const { artefacts, failures } = await discoverArtefacts(image, 'signature', context);
    expect(artefacts).toEqual([]);
    expect(failures.map(({ code }) => code)).toEqual(['registry-unavailable']);
    expect(registry.requests.filter((request) => request.startsWith('blob'))).toEqual([]);
  });

  it.each<[string, (blob: string) => string]>([
    ['the tag', () => tagOf('sig')],
    ['the referrers', () => `referrers of ${image.digest}`],
    ['a blob', (blob) => blob],
  ])('is remembered: %s', async (_what, referenceOf) => {
    signTagged(registry, signing);
    expect((await discover()).artefacts).toHaveLength(1);
    registry.fail(referenceOf(registry.requests.at(-1)?.replace('blob ', '') ?? ''));
    const { failures } = await discover();
    expect(failures.map(({ code }) => code)).toEqual(['registry-unavailable']);
  });

  it('is none where a referrer has a digest that the registry need not know', async () => {
    const digest = `sha512:${'0'.repeat(128)}`;
    registry.fail(digest);
    const odd = contextOf({
      ...registry,
      referrers: () => Promise.resolve([{ mediaType: 'a/b', digest, size: 1 }]),
    });
    const nothing = { artefacts: [], unusable: [], failures: [] };
    expect(await discoverArtefacts(image, 'signature', odd)).toEqual(nothing);
  });

  it('is remembered with a limit of ours first, which nothing excuses', async () => {
    registry.fail(tagOf('sig'));
    registry.fail(`referrers of ${image.digest}`, 'registry-limited');
    const { failures } = await discover();
    expect(failures.map(({ code }) => code)).toEqual(['registry-limited', 'registry-unavailable']);
  });

  it('is remembered with a layer that contradicts itself first, which nothing excuses', async () => {
    registry.fail(`referrers of ${image.digest}`);
    pushTagged(registry, signing, [{ ...simpleSigningLayer(registry, signing), size: 17 }]);
    const { failures } = await discover();
    expect(failures.map(({ code }) => code)).toEqual(['registry-corrupt', 'registry-unavailable']);
  });

  it.each([['registry-corrupt' as const], ['config-invalid' as const]])(
    'is thrown when it is no failure to find out: %s',
    async (code) => {
      signTagged(registry, signing);
      registry.fail(tagOf('sig'), code);
      const thrown = await discover().catch((error: unknown) => error);
      expect((thrown as ImageCheckerError).code).toBe(code);
    },
  );
});
