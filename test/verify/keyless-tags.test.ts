import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TrustedIdentity } from '../../src/rules/registry-requirement.ts';
import type { ResolvedImage } from '../../src/verify/resolved-image.ts';
import { verifyAttestations } from '../../src/verify/verify-attestations.ts';
import { verifySignatures } from '../../src/verify/verify-signatures.ts';
import { newSigningKey, signAs } from '../support/cosign.ts';
import { contextOf, newMemoryRegistry, pushImage } from '../support/memory-registry.ts';
import type { MemoryRegistry } from '../support/memory-registry.ts';
import {
  base64,
  EXPIRED,
  ISSUER,
  newSigstore,
  WHILE_VALID,
  WORKFLOW,
} from '../support/sigstore.ts';
import type { RekorBundle } from '../support/sigstore.ts';
import { attestKeyless, signKeyless } from '../support/sigstore-tags.ts';
import type { TaggedKeyless } from '../support/sigstore-tags.ts';
import { identity, requireSignature } from '../support/trust.ts';
import { issue, OID } from '../support/x509.ts';

const REPOSITORY = 'registry.example.com/team/app';
const VULN = 'https://cosign.sigstore.dev/attestation/vuln/v1';
const sigstore = newSigstore();
const elsewhere = newSigstore();

let registry: MemoryRegistry;
let image: ResolvedImage;

beforeEach(async () => {
  registry = newMemoryRegistry();
  image = await pushImage(registry, REPOSITORY);
});

const TRUSTED = [identity(WORKFLOW, ISSUER)];

async function refusals(
  odd: Partial<TaggedKeyless> = {},
  identities: readonly TrustedIdentity[] = TRUSTED,
  trustedRoot = sigstore.trustedRoot,
): Promise<readonly string[]> {
  signKeyless(registry, sigstore, { repository: REPOSITORY, digest: image.digest, ...odd });
  const keyless = { trustedRoot, identities };
  const by = requireSignature({ keys: [], certificates: undefined, keyless });
  return verifySignatures(image, [by], contextOf(registry));
}

const refusal = (why: string, what = 'a signature'): string[] => [
  `expected ${what} by ${WORKFLOW}, got none; 1 do not count: ${why}`,
];

/** What the log promised, with something else in it. */
const promising =
  (payload: Partial<RekorBundle['Payload']>) =>
  (bundle: RekorBundle): object => ({ ...bundle, Payload: { ...bundle.Payload, ...payload } });

describe('a keyless signature beside a tag counts', () => {
  it('for an identity and its issuer', async () => {
    expect(await refusals()).toEqual([]);
  });

  it('when its certificate has expired since', async () => {
    expect(await refusals({ shape: EXPIRED, loggedAt: WHILE_VALID })).toEqual([]);
  });

  it('for a mail address', async () => {
    const shape = { names: [['mail', 'a@example.com']] } as const;
    expect(await refusals({ shape }, [identity('a@example.com', ISSUER)])).toEqual([]);
  });

  it('whatever chain is put beside its certificate', async () => {
    const annotations = { 'dev.sigstore.cosign/chain': issue({ subject: 'mallory' }).pem };
    expect(await refusals({ annotations })).toEqual([]);
  });
});

describe('a keyless signature beside a tag does not count', () => {
  it.each<[string, Partial<TaggedKeyless>, string]>([
    ['by another name', { shape: { names: [['uri', `${WORKFLOW}x`]] } }, 'by no trusted identity'],
    ['without a name', { shape: { names: [] } }, 'by no trusted identity'],
    ['by another issuer', { issuer: `${ISSUER}.evil.org` }, 'by no trusted identity'],
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
    ['without what the log promised', { change: () => undefined }, 'in no transparency log'],
    ['with an empty annotation', { change: () => '' }, 'in no transparency log'],
    [
      'without its certificate',
      { annotations: { 'dev.sigstore.cosign/certificate': '' } },
      'without a certificate',
    ],
    [
      'for another repository',
      { signing: { repository: `${REPOSITORY}x` } },
      'for another repository',
    ],
  ])('%s', async (_what, odd, why) => {
    expect(await refusals(odd)).toEqual(refusal(why));
  });

  it('for another image', async () => {
    const { digest } = await pushImage(registry, REPOSITORY, 'another');
    expect(await refusals({ signing: { digest } })).toEqual(refusal('for another image'));
  });

  it('by another root', async () => {
    expect(await refusals({}, TRUSTED, elsewhere.trustedRoot)).toEqual(
      refusal('with a certificate of no trusted authority'),
    );
  });

  it.each([
    ['tlogs', 'in no trusted log'],
    ['ctlogs', 'with a certificate of no trusted authority'],
  ])('by a root that trusts other %s', async (logs, why) => {
    const [own, other] = [sigstore, elsewhere].map(
      ({ trustedRoot }) => JSON.parse(trustedRoot) as Record<string, unknown>,
    );
    const mixed = JSON.stringify({ ...own, [logs]: other?.[logs] });
    expect(await refusals({}, TRUSTED, mixed)).toEqual(refusal(why));
  });
});

describe('a keyless signature beside a tag does not count when of its log entry', () => {
  const now = Math.floor(Date.now() / 1000);

  it.each<[string, (bundle: RekorBundle) => object | string, string]>([
    ['the time is another', promising({ integratedTime: now - 1 }), 'in no trusted log'],
    ['the index is another', promising({ logIndex: 7 }), 'in no trusted log'],
    ['the log is unknown', promising({ logID: 'ab'.repeat(32) }), 'in no trusted log'],
    [
      'the promise is of another log',
      ({ Payload }) => {
        const body = Buffer.from(Payload.body, 'base64');
        const { SignedEntryTimestamp } = elsewhere.promise(body);
        return { SignedEntryTimestamp, Payload };
      },
      'in no trusted log',
    ],
    [
      'the log and its promise are others',
      ({ Payload }) => elsewhere.promise(Buffer.from(Payload.body, 'base64')),
      'in no trusted log',
    ],
    [
      'a bit of the promise is turned',
      (bundle) => {
        const bytes = Buffer.from(bundle.SignedEntryTimestamp, 'base64');
        bytes[20] = (bytes[20] ?? 0) ^ 1;
        return { ...bundle, SignedEntryTimestamp: base64(bytes) };
      },
      'in no trusted log',
    ],
    [
      'the promise is empty',
      (bundle) => ({ ...bundle, SignedEntryTimestamp: '' }),
      'in no trusted log',
    ],
    ['the time is none', promising({ integratedTime: 0 }), 'in no trusted log'],
    [
      'the time is no number',
      (bundle) => ({ ...bundle, Payload: { ...bundle.Payload, integratedTime: `${now}` } }),
      'with a log entry that cannot be read',
    ],
    [
      'the time is broken',
      promising({ integratedTime: 1.5 }),
      'with a log entry that cannot be read',
    ],
    ['the index is negative', promising({ logIndex: -1 }), 'with a log entry that cannot be read'],
    ['the log has no id', promising({ logID: 'x' }), 'with a log entry that cannot be read'],
    ['the body is no base64', promising({ body: '*' }), 'with a log entry that cannot be read'],
    ['there is no JSON', () => 'x', 'with a log entry that cannot be read'],
    ['there is nothing', () => ({}), 'with a log entry that cannot be read'],
    [
      'there is too much',
      (bundle) => ({ ...bundle, more: 'x'.repeat(64 * 1024) }),
      'with a log entry that cannot be read',
    ],
    [
      'the body is no JSON',
      promising({ body: base64(Buffer.from('x')) }),
      'with a log entry of another kind',
    ],
  ])('%s', async (_what, change, why) => {
    expect(await refusals({ change })).toEqual(refusal(why));
  });

  it.each<[string, NonNullable<TaggedKeyless['body']>, string]>([
    [
      'the body is of another signature',
      (body, leaf) => {
        const content = base64(signAs(2, leaf.key, Buffer.from('something else')));
        const signature = { ...body.spec.signature, content };
        return { ...body, spec: { ...body.spec, signature } };
      },
      'in no trusted log',
    ],
    [
      'the body is of another payload',
      (body) => {
        const hash = { algorithm: 'sha256', value: 'ab'.repeat(32) };
        return { ...body, spec: { ...body.spec, data: { hash } } };
      },
      'in no trusted log',
    ],
    [
      'the body is of another certificate',
      (body) => {
        const content = base64(Buffer.from(issue({ subject: 'mallory' }).pem));
        const signature = { ...body.spec.signature, publicKey: { content } };
        return { ...body, spec: { ...body.spec, signature } };
      },
      'with a log entry of another certificate',
    ],
    [
      'the body is of a bare key',
      (body, leaf) => {
        const pem = leaf.key.trusted.key.export({ type: 'spki', format: 'pem' }).toString();
        const publicKey = { content: base64(Buffer.from(pem)) };
        return {
          ...body,
          spec: { ...body.spec, signature: { ...body.spec.signature, publicKey } },
        };
      },
      'with a log entry of another certificate',
    ],
    [
      'the hash is another one',
      (body) => {
        const hash = { ...body.spec.data.hash, algorithm: 'sha512' };
        return { ...body, spec: { ...body.spec, data: { hash } } };
      },
      'with a log entry of another kind',
    ],
    [
      'the version is another',
      (body) => ({ ...body, apiVersion: '0.0.2' }),
      'with a log entry of another kind',
    ],
    [
      'the kind is another',
      (body) => ({ ...body, kind: 'dsse' }),
      'with a log entry of another kind',
    ],
    [
      'the kind is unknown',
      (body) => ({ ...body, kind: 'rpm' }),
      'with a log entry of another kind',
    ],
  ])('%s, though the log promised it', async (_what, body, why) => {
    expect(await refusals({ body })).toEqual(refusal(why));
  });

  it('the signature is by another key', async () => {
    const other = signAs(2, newSigningKey(), Buffer.from('x'));
    const annotations = { 'dev.cosignproject.cosign/signature': base64(other) };
    expect(await refusals({ annotations })).toEqual(refusal('in no trusted log'));
  });

  it('the payload was changed afterwards', async () => {
    const tamper = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytes, Buffer.from(' ')]);
    // The layer has the digest of what was pushed, and so has the entry.
    expect(await refusals({ signing: { tamper } })).toEqual(refusal('not by its certificate'));
  });
});

describe('a keyless attestation beside a tag', () => {
  async function attestation(
    odd: Partial<Omit<TaggedKeyless, 'body'>> = {},
    predicateType = VULN,
  ): Promise<readonly string[]> {
    const about = { repository: REPOSITORY, digest: image.digest };
    attestKeyless(registry, sigstore, { ...about, ...odd }, { predicateType, predicate: {} });
    const keyless = { trustedRoot: sigstore.trustedRoot, identities: TRUSTED };
    const by = { keys: [], certificates: undefined, keyless };
    const requirement = { ...by, source: 'vuln', checks: new Map([[VULN, []]]) };
    return verifyAttestations(image, [requirement], contextOf(registry));
  }
  const attested = (why: string): string[] => refusal(why, 'an attestation (vuln)');

  it('counts', async () => {
    expect(await attestation()).toEqual([]);
  });

  it('does not count when it is of another type', async () => {
    expect(await attestation({}, 'https://example.com/x')).toEqual(attested('of another type'));
  });

  it.each<[string, Partial<Omit<TaggedKeyless, 'body'>>, string]>([
    ['by another issuer', { issuer: 'https://evil.org' }, 'by no trusted identity'],
    ['logged too late', { shape: EXPIRED }, 'with a certificate of no trusted authority'],
    ['in no log', { change: () => undefined }, 'in no transparency log'],
    [
      'with the entry of something else',
      {
        change: promising({ body: base64(Buffer.from('{"kind":"intoto","apiVersion":"0.0.2"}')) }),
      },
      'with a log entry of another kind',
    ],
    [
      'with another time',
      { change: promising({ integratedTime: 1 }) },
      'with a certificate of no trusted authority',
    ],
  ])('does not count when it is %s', async (_what, odd, why) => {
    expect(await attestation(odd)).toEqual(attested(why));
  });
});
