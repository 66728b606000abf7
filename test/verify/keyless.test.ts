import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TrustedIdentity } from '../../src/rules/registry-requirement.ts';
import { readTrustedRoot } from '../../src/rules/trust-material.ts';
import type { ResolvedImage } from '../../src/verify/resolved-image.ts';
import { verifySignatures } from '../../src/verify/verify-signatures.ts';
import { newSigningKey, pushBundle } from '../support/cosign.ts';
import { contextOf, newMemoryRegistry, pushImage } from '../support/memory-registry.ts';
import type { MemoryRegistry } from '../support/memory-registry.ts';
import {
  base64,
  EXPIRED,
  ISSUER,
  newSigstore,
  resign,
  WHILE_VALID,
  WORKFLOW,
} from '../support/sigstore.ts';
import type { KeylessBundle, KeylessSigning } from '../support/sigstore.ts';
import { identity, requireSignature } from '../support/trust.ts';
import { issue, OID, utf8 } from '../support/x509.ts';

const REPOSITORY = 'registry.example.com/team/app';
const sigstore = newSigstore();
const elsewhere = newSigstore();

let registry: MemoryRegistry;
let image: ResolvedImage;

beforeEach(async () => {
  registry = newMemoryRegistry();
  image = await pushImage(registry, REPOSITORY);
});

async function refusals(
  signing: Partial<KeylessSigning> = {},
  identities: readonly TrustedIdentity[] = [identity(WORKFLOW, ISSUER)],
  trustedRoot = sigstore.trustedRoot,
): Promise<readonly string[]> {
  const about = { repository: REPOSITORY, digest: image.digest };
  pushBundle(registry, about, sigstore.bundle({ ...about, ...signing }));
  const keyless = { trustedRoot, identities };
  const by = requireSignature({ keys: [], certificates: undefined, keyless });
  return verifySignatures(image, [by], contextOf(registry));
}

const refusal = (why: string, who = WORKFLOW): string[] => [
  `expected a signature by ${who}, got none; 1 do not count: ${why}`,
];

/** A bundle with another entry of the log. */
const withEntry =
  (change: (entry: KeylessBundle['verificationMaterial']['tlogEntries'][number]) => object) =>
  (bundle: KeylessBundle): object => {
    const { verificationMaterial: material } = bundle;
    const tlogEntries = material.tlogEntries.map(change);
    return { ...bundle, verificationMaterial: { ...material, tlogEntries } };
  };

function without(entry: object, key: string): object {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => name !== key));
}

/** A bundle with so many of its one entry. */
const withEntries =
  (count: number) =>
  (bundle: KeylessBundle): object => {
    const { verificationMaterial: material } = bundle;
    const tlogEntries = Array.from({ length: count }, () => material.tlogEntries[0]);
    return { ...bundle, verificationMaterial: { ...material, tlogEntries } };
  };

const withTimestamps =
  (count: number) =>
  (bundle: KeylessBundle): object => {
    const rfc3161Timestamps = Array.from({ length: count }, () => ({ signedTimestamp: 'AAAA' }));
    const timestampVerificationData = { rfc3161Timestamps };
    const verificationMaterial = { ...bundle.verificationMaterial, timestampVerificationData };
    return { ...bundle, verificationMaterial };
  };

const withProof = (proof: object): ((bundle: KeylessBundle) => object) =>
  withEntry((entry) => ({ ...entry, inclusionProof: { ...entry.inclusionProof, ...proof } }));

describe('a keyless signature counts', () => {
  it('with empty lists of what it does not have', async () => {
    expect(await refusals({ change: withTimestamps(0) })).toEqual([]);
  });

  it('by the trusted root, for an identity and its issuer', async () => {
    expect(readTrustedRoot(sigstore.trustedRoot).ok).toBe(true);
    expect(await refusals()).toEqual([]);
  });

  it('when its certificate has expired since', async () => {
    expect(await refusals({ shape: EXPIRED, loggedAt: WHILE_VALID })).toEqual([]);
  });

  it('for a mail address', async () => {
    const shape = { names: [['mail', 'a@example.com']] } as const;
    expect(await refusals({ shape }, [identity('a@example.com', ISSUER)])).toEqual([]);
  });

  it('for one of several identities', async () => {
    const identities = [identity('b', ISSUER), identity(WORKFLOW, ISSUER)];
    expect(await refusals({}, identities)).toEqual([]);
  });
});

describe('a keyless signature does not count', () => {
  it.each<[string, Partial<KeylessSigning>, string]>([
    ['by another name', { shape: { names: [['uri', `${WORKFLOW}x`]] } }, 'by no trusted identity'],
    [
      'by a name that holds the trusted one',
      { shape: { names: [['uri', `https://evil.example/${WORKFLOW}`]] } },
      'by no trusted identity',
    ],
    ['without a name', { shape: { names: [] } }, 'by no trusted identity'],
    ['by another issuer', { issuer: `${ISSUER}.evil.org` }, 'by no trusted identity'],
    [
      'by a certificate that names two issuers',
      {
        shape: {
          extensions: [
            { oid: OID.fulcioIssuer, value: utf8(ISSUER) },
            { oid: OID.fulcioIssuerV1, value: Buffer.from('x') },
          ],
        },
      },
      'by no trusted identity',
    ],
    ['by a certificate that names none', { shape: { extensions: [] } }, 'by no trusted identity'],
    [
      'by a certificate that is not for code',
      { shape: { usages: [OID.clientAuth] } },
      'with a certificate that is not for signing code',
    ],
    [
      'logged after its certificate expired',
      { shape: EXPIRED },
      'with a certificate of no trusted authority',
    ],
    [
      'logged before its certificate was valid',
      { loggedAt: WHILE_VALID },
      'with a certificate of no trusted authority',
    ],
    [
      'by another key than that of the certificate',
      { change: (bundle) => resign(bundle, newSigningKey()) },
      'in no trusted log',
    ],
    [
      'over a payload that was changed',
      {
        change: (bundle) => ({
          ...bundle,
          dsseEnvelope: { ...bundle.dsseEnvelope, payload: base64(Buffer.from('{}')) },
        }),
      },
      'in no trusted log',
    ],
    [
      'without an entry in the log',
      {
        change: (bundle) => ({
          ...bundle,
          verificationMaterial: {
            certificate: bundle.verificationMaterial.certificate,
            tlogEntries: [],
          },
        }),
      },
      'in no trusted log',
    ],
    [
      'with another time than the log promised',
      { change: withEntry((entry) => ({ ...entry, integratedTime: '1' })) },
      'with a certificate of no trusted authority',
    ],
    [
      'with an entry of another index',
      { change: withEntry((entry) => ({ ...entry, logIndex: '7' })) },
      'in no trusted log',
    ],
    [
      'with the entry of something else',
      {
        change: withEntry((entry) => ({ ...entry, canonicalizedBody: base64(Buffer.from('{}')) })),
      },
      'in no trusted log',
    ],
    [
      'without a promise, so without a time',
      { change: withEntry((entry) => without(entry, 'inclusionPromise')) },
      'in no trusted log',
    ],
    [
      'without a proof',
      { change: withEntry((entry) => without(entry, 'inclusionProof')) },
      'not readable',
    ],
  ])('%s', async (_what, signing, why) => {
    expect(await refusals(signing)).toEqual(refusal(why));
  });

  it.each<[string, (bundle: KeylessBundle) => object, string]>([
    ['8 times the same entry', withEntries(8), 'in no trusted log'],
    ['9 entries of the log', withEntries(9), 'with too much in its bundle'],
    [
      'an entry whose proof is none',
      withEntry(() => ({ inclusionProof: 1 })),
      'with too much in its bundle',
    ],
    ['8 time stamps', withTimestamps(8), 'not readable'],
    ['9 time stamps', withTimestamps(9), 'with too much in its bundle'],
    ['a proof of 64 hashes', withProof({ hashes: Array(64).fill('AAAA') }), 'in no trusted log'],
    [
      'a proof of 65 hashes',
      withProof({ hashes: Array(65).fill('AAAA') }),
      'with too much in its bundle',
    ],
    [
      'a checkpoint of thousands of signatures',
      withProof({ checkpoint: { envelope: '\u2014 a AAAA\n'.repeat(2000) } }),
      'with too much in its bundle',
    ],
  ])('with %s', async (_what, change, why) => {
    expect(await refusals({ change })).toEqual(refusal(why));
  });

  it('by another root', async () => {
    const why = 'with a certificate of no trusted authority';
    const identities = [identity(WORKFLOW, ISSUER)];
    expect(await refusals({}, identities, elsewhere.trustedRoot)).toEqual(refusal(why));
  });

  it('by a root that trusts another log of certificates', async () => {
    const [own, other] = [sigstore, elsewhere].map(
      ({ trustedRoot }) => JSON.parse(trustedRoot) as Record<string, unknown>,
    );
    const mixed = JSON.stringify({ ...own, ctlogs: other?.['ctlogs'] });
    const why = 'with a certificate of no trusted authority';
    expect(await refusals({}, [identity(WORKFLOW, ISSUER)], mixed)).toEqual(refusal(why));
  });

  it('by a root that trusts another log of signatures', async () => {
    const [own, other] = [sigstore, elsewhere].map(
      ({ trustedRoot }) => JSON.parse(trustedRoot) as Record<string, unknown>,
    );
    const mixed = JSON.stringify({ ...own, tlogs: other?.['tlogs'] });
    expect(await refusals({}, [identity(WORKFLOW, ISSUER)], mixed)).toEqual(
      refusal('in no trusted log'),
    );
  });

  it('for another image', async () => {
    const other = await pushImage(registry, REPOSITORY, 'another');
    expect(await refusals({ digest: other.digest })).toEqual(refusal('for another image'));
  });

  it('with the certificate of somebody trusted beside the chain of the signer', async () => {
    const mallory = issue({ subject: 'mallory' });
    const change = (bundle: KeylessBundle): object => {
      const { certificate, tlogEntries } = bundle.verificationMaterial;
      const x509CertificateChain = { certificates: [{ rawBytes: base64(mallory.der) }] };
      return {
        ...bundle,
        verificationMaterial: { certificate, x509CertificateChain, tlogEntries },
      };
    };
    expect(await refusals({ change })).toEqual(refusal('not readable'));
  });

  it('with a checkpoint whose signer is a pattern that takes for ever', async () => {
    const change = withEntry((entry) => {
      const { envelope } = entry.inclusionProof.checkpoint;
      const evil = envelope.replace(/\u2014 \S+/, '\u2014 ((.*)*)*((.*)*)*\\1x');
      const inclusionProof = { ...entry.inclusionProof, checkpoint: { envelope: evil } };
      return { ...entry, inclusionProof };
    });
    expect(await refusals({ change })).toEqual(refusal('in no trusted log'));
  });
});
