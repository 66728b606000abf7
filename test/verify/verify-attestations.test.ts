import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AttestationRequirement, Signers } from '../../src/rules/registry-requirement.ts';
import type { ResolvedImage } from '../../src/verify/resolved-image.ts';
import { verifyAttestations } from '../../src/verify/verify-attestations.ts';
import { cel } from '../support/cel.ts';
import {
  attestationLayer,
  bundleOf,
  envelopeOf,
  newSigningKey,
  pushBundle,
  pushTagged,
  signBundle,
  signTagged,
} from '../support/cosign.ts';
import type { Signing } from '../support/cosign.ts';
import { contextOf, newMemoryRegistry, pushImage } from '../support/memory-registry.ts';
import type { MemoryRegistry } from '../support/memory-registry.ts';
import { trustKeys } from '../support/trust.ts';

const REPOSITORY = 'registry.example.com/team/app';
const TYPE = 'https://example.com/review/v1';
const OTHER_TYPE = 'https://example.com/other/v1';
const SIGN = 'https://sigstore.dev/cosign/sign/v1';

const key = newSigningKey('P-256', 'release.pub');
const second = newSigningKey('P-256', 'build.pub');
const stranger = newSigningKey('P-256', 'stranger.pub');

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

function require(
  checks: readonly string[] = [],
  signers: Signers = trustKeys(key),
  types: readonly string[] = [TYPE],
): AttestationRequirement {
  const compiled = checks.map(cel);
  return { ...signers, source: 'review', checks: new Map(types.map((type) => [type, compiled])) };
}

function verify(...requirements: readonly AttestationRequirement[]): Promise<readonly string[]> {
  return verifyAttestations(image, requirements, contextOf(registry));
}

const refusal = (rest: string): string[] => [
  `expected an attestation (review) by release.pub, got none${rest === '' ? '' : `; ${rest}`}`,
];

/** With the digest of the image in place of HEX. */
function withHex(payload: object = {}): object {
  const text = JSON.stringify(payload);
  return text.includes('HEX')
    ? (JSON.parse(text.replaceAll('HEX', image.digest.slice(7))) as object)
    : payload;
}

interface Attested extends Partial<Signing> {
  readonly predicateType?: string;
  readonly predicate?: unknown;
}

/** The two ways to attest, so that what holds for one is asked of the other. */
const WAYS: readonly { way: string; attest: (...all: readonly Attested[]) => void }[] = [
  {
    way: 'under the tag',
    attest: (...all) => {
      const layers = all.map(({ predicateType = TYPE, predicate = {}, ...odd }) =>
        attestationLayer(registry, { ...signing, ...odd }, { predicateType, predicate }),
      );
      pushTagged(registry, signing, layers, 'att');
    },
  },
  {
    way: 'in a bundle',
    attest: (...all) => {
      for (const { predicateType = TYPE, predicate = {}, ...odd } of all) {
        const envelope = envelopeOf({ ...signing, ...odd }, { predicateType, predicate });
        // The annotation says nothing that is believed.
        pushBundle(registry, signing, bundleOf(signing, envelope), { predicateType: TYPE });
      }
    },
  },
];

describe.each(WAYS)('an image attested $way', ({ attest }) => {
  it('is accepted', async () => {
    attest({ predicate: { level: 3 } });
    expect(await verify(require(['predicate.level > 2', 'predicate.level < 4']))).toEqual([]);
  });

  it.each(['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'])(
    'is accepted by a statement of type %s',
    async (_type) => {
      attest({ payload: { _type } });
      expect(await verify(require())).toEqual([]);
    },
  );

  it('is accepted by one of several attestations, whatever the others are', async () => {
    attest(
      { key: stranger },
      { predicateType: OTHER_TYPE },
      { predicate: { level: 1 } },
      { predicate: { level: 3 } },
    );
    expect(await verify(require(['predicate.level > 2']))).toEqual([]);
  });

  it('is accepted by one of several types, each with its own checks', async () => {
    attest({ predicateType: OTHER_TYPE, predicate: { stage: 'prod' } });
    const checks = new Map([
      [TYPE, [cel('predicate.level > 2')]],
      [OTHER_TYPE, [cel('predicate.stage == "prod"')]],
    ]);
    expect(await verify({ ...trustKeys(key), source: 'review', checks })).toEqual([]);
  });

  it.each<[string, Attested, string]>([
    ['by another key', { key: stranger }, 'by no trusted key'],
    [
      'with a payload that was changed afterwards',
      { tamper: (payload) => Buffer.from(payload.toString().replace('"level":3', '"level":4')) },
      'by no trusted key',
    ],
    ['as another type', { predicateType: OTHER_TYPE }, 'of another type'],
    ['as a type that begins the same', { predicateType: `${TYPE}.1` }, 'of another type'],
    ['as a type in another case', { predicateType: TYPE.toUpperCase() }, 'of another type'],
    ['as no type', { payload: { predicateType: null } }, 'no in-toto statement'],
    ['in no statement', { payload: { _type: 'https://example.com/x' } }, 'no in-toto statement'],
    [
      'in a statement of the future',
      { payload: { _type: 'https://in-toto.io/Statement/v2' } },
      'no in-toto statement',
    ],
    ['about nothing', { payload: { subject: [] } }, 'about another image'],
    ['about null', { payload: { subject: null } }, 'no in-toto statement'],
    [
      'about the same hex under another algorithm',
      { payload: { subject: [{ digest: { sha512: 'HEX' } }] } },
      'about another image',
    ],
    [
      'about a subject whose name is the digest',
      { payload: { subject: [{ name: 'HEX', digest: { sha256: '0'.repeat(64) } }] } },
      'about another image',
    ],
    [
      'about an inherited digest',
      {
        payload: { subject: [{ digest: JSON.parse('{"__proto__":{"sha256":"HEX"}}') as object }] },
      },
      'about another image',
    ],
    ['without a predicate', { payload: { predicate: undefined } }, 'no in-toto statement'],
    ['with a predicate that is null', { predicate: null }, 'cel '],
    ['with a predicate that is a text', { predicate: '{"level":3}' }, 'cel '],
    ['with a predicate that does not do', { predicate: { level: 2 } }, 'cel '],
    [
      'with a predicate that is nested too deeply',
      { predicate: JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) as unknown },
      'no in-toto statement',
    ],
  ])('is refused when attested %s', async (_what, odd, why) => {
    attest({ predicate: { level: 3 }, ...odd, payload: withHex(odd.payload) });
    const [message = '', ...more] = await verify(require(['predicate.level > 2']));
    const expected = refusal(`1 do not count: ${why.replace('cel ', 'predicate.level > 2: ')}`);
    expect(message.slice(0, expected[0]?.length)).toBe(expected[0]);
    expect(more).toEqual([]);
  });

  it('is refused when two attestations fulfil half of the checks each', async () => {
    attest({ predicate: { a: true, b: false } }, { predicate: { a: false, b: true } });
    expect(await verify(require(['predicate.a', 'predicate.b']))).toEqual(
      refusal('2 do not count: predicate.b: is not true, predicate.a: is not true'),
    );
  });

  it('is refused when the type and the signer are those of two attestations', async () => {
    attest({ predicateType: OTHER_TYPE }, { key: stranger });
    const [message] = await verify(require());
    expect(message).toContain('2 do not count: ');
  });

  it('is refused when the attestation is about another image, put where this one’s lie', async () => {
    attest({ digest: other.digest });
    expect(await verify(require())).toEqual(refusal('1 do not count: about another image'));
  });

  it('has to fulfil every requirement', async () => {
    attest({ predicate: { level: 3 } });
    const bySecond = require([], trustKeys(second));
    const messages = await verify(require(), bySecond, require(['predicate.level > 3']));
    expect(messages).toEqual([
      'expected an attestation (review) by build.pub, got none; 1 do not count: by no trusted key',
      ...refusal('1 do not count: predicate.level > 3: is not true'),
    ]);
  });

  it('may be attested by any of several keys', async () => {
    attest({ key: second });
    expect(await verify(require([], trustKeys(key, second)))).toEqual([]);
  });
});

describe('an image', () => {
  it('is refused without attestations', async () => {
    expect(await verify(require())).toEqual(refusal(''));
  });

  it('is refused when it is signed and not attested', async () => {
    signTagged(registry, signing);
    signBundle(registry, signing);
    expect(await verify(require())).toEqual(refusal(''));
  });

  it('is refused when a signature of cosign 3 lies where attestations lie', async () => {
    const layer = attestationLayer(registry, signing, { predicateType: SIGN, predicate: {} });
    pushTagged(registry, signing, [layer], 'att');
    signBundle(registry, signing, { predicateType: TYPE });
    expect(await verify(require())).toEqual(refusal('2 do not count: of another type (2)'));
  });

  it('is refused when its tag of signatures holds an attestation', async () => {
    const layer = attestationLayer(registry, signing, { predicateType: TYPE, predicate: {} });
    pushTagged(registry, signing, [layer], 'sig');
    expect(await verify(require())).toEqual(refusal(''));
  });

  it('is not known when what could not be looked at might be the attestation', async () => {
    const tag = pushTagged(registry, signing, [], 'att');
    registry.fail(tag);
    await expect(verify(require())).rejects.toMatchObject({ code: 'registry-unavailable' });
  });

  it('is accepted though something could not be looked at', async () => {
    const envelope = envelopeOf(signing, { predicateType: TYPE, predicate: {} });
    pushBundle(registry, signing, bundleOf(signing, envelope), { predicateType: TYPE });
    registry.fail(`${image.digest.replace(':', '-')}.att`);
    expect(await verify(require())).toEqual([]);
  });

  it('is never judged by a registry that contradicts itself', async () => {
    registry.fail(`${image.digest.replace(':', '-')}.att`, 'registry-corrupt');
    await expect(verify(require())).rejects.toMatchObject({ code: 'registry-corrupt' });
  });

  it('is not known, and not excused, when there is no time left for the checks', async () => {
    const layer = attestationLayer(registry, signing, { predicateType: TYPE, predicate: {} });
    pushTagged(registry, signing, [layer], 'att');
    const context = { ...contextOf(registry), signal: AbortSignal.abort() };
    await expect(verifyAttestations(image, [require()], context)).rejects.toMatchObject({
      code: 'registry-limited',
    });
  });

  it('is refused when there are more attestations than are looked at', async () => {
    const layers = Array.from({ length: 40 }, (_, index) =>
      attestationLayer(registry, signing, { predicateType: OTHER_TYPE, predicate: { index } }),
    );
    const good = attestationLayer(registry, signing, { predicateType: TYPE, predicate: {} });
    pushTagged(registry, signing, [...layers, good], 'att');
    expect(await verify(require())).toEqual(
      refusal('33 do not count: of another type (32), not looked at'),
    );
  });
});
