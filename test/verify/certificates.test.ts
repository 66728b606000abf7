import { beforeEach, describe, expect, it } from '@jest/globals';
import { verifySignatures } from '../../src/verify/verify-signatures.ts';
import { pushTagged, signBundle, simpleSigningLayer } from '../support/cosign.ts';
import { contextOf, newMemoryRegistry, pushImage } from '../support/memory-registry.ts';
import type { MemoryRegistry } from '../support/memory-registry.ts';
import type { ResolvedImage } from '../../src/verify/resolved-image.ts';
import { requireSignature, trustCertificates } from '../support/trust.ts';
import { der, fulcioName, issue, OID, sequence, withBrokenKey } from '../support/x509.ts';
import type { Issued, Shape } from '../support/x509.ts';

const REPOSITORY = 'registry.example.com/team/app';
const ALICE = 'alice@example.com';
const DAY_MS = 86_400_000;

const root = issue({ subject: 'root', isAuthority: true });
const middle = issue({ subject: 'middle', isAuthority: true, issuer: root });
const trusted = trustCertificates([root], [ALICE]);

let registry: MemoryRegistry;
let image: ResolvedImage;

beforeEach(async () => {
  registry = newMemoryRegistry();
  image = await pushImage(registry, REPOSITORY);
});

const alice = (shape: Partial<Shape> = {}): Issued =>
  issue({ subject: 'alice', issuer: root, names: [['mail', ALICE]], ...shape });

/** What is against the image once it was signed with a certificate, as cosign 2 does. */
async function refusals(
  leaf: Issued,
  { chain = [], by = trusted, now = Date.now() }: Partial<Given> = {},
): Promise<readonly string[]> {
  const pem = chain.map((each) => each.pem).join('');
  const signing = { key: leaf.key, repository: REPOSITORY, digest: image.digest };
  const layer = simpleSigningLayer(registry, { ...signing, certificate: leaf.pem, chain: pem });
  pushTagged(registry, signing, [layer]);
  return verifySignatures(
    image,
    [requireSignature(by)],
    contextOf(registry, () => now),
  );
}

interface Given {
  readonly chain: readonly Issued[];
  readonly by: typeof trusted;
  readonly now: number;
}

const refusal = (why: string): string[] => [
  `expected a signature by ${ALICE}, got none; 1 do not count: ${why}`,
];

describe('a signature with a certificate of a trusted authority counts', () => {
  it.each<[string, () => Issued, Partial<Given>]>([
    ['by the root itself', () => alice(), {}],
    [
      'by an intermediate that is trusted',
      () => alice({ issuer: middle }),
      {
        by: trustCertificates([root], [ALICE], [middle]),
      },
    ],
    [
      'by an intermediate that came with it',
      () => alice({ issuer: middle }),
      { chain: [middle, root] },
    ],
    ['with an RSA key', () => alice({ kind: 'RSA' }), {}],
    ['with a P-384 key', () => alice({ kind: 'P-384' }), {}],
    ['with an Ed25519 key', () => alice({ kind: 'Ed25519' }), {}],
    [
      'with several names, one of them trusted',
      () =>
        alice({
          names: [
            ['uri', 'https://example.com/ci'],
            ['mail', ALICE],
          ],
        }),
      {},
    ],
    [
      'with a URI',
      () => alice({ names: [['uri', 'spiffe://corp/ci']] }),
      {
        by: trustCertificates([root], ['spiffe://corp/ci']),
      },
    ],
    [
      'with a name of Fulcio',
      () => alice({ names: [fulcioName('alice!corp')] }),
      {
        by: trustCertificates([root], ['alice!corp']),
      },
    ],
  ])('%s', async (_what, leaf, given) => {
    expect(await refusals(leaf(), given)).toEqual([]);
  });

  it('in the bundle of cosign 3, which holds the leaf alone', async () => {
    const leaf = alice({ issuer: middle });
    const signing = { key: leaf.key, repository: REPOSITORY, digest: image.digest };
    signBundle(registry, { ...signing, certificate: leaf.pem });
    const by = trustCertificates([root], [ALICE], [middle]);
    expect(await verifySignatures(image, [requireSignature(by)], contextOf(registry))).toEqual([]);
    const without = requireSignature(trusted);
    expect(await verifySignatures(image, [without], contextOf(registry))).toEqual(
      refusal('with a certificate of no trusted authority'),
    );
  });
});

describe('a signature does not count', () => {
  const otherRoot = issue({ subject: 'root', isAuthority: true });
  const authority = (shape: Partial<Shape>): Issued =>
    issue({ subject: 'middle', isAuthority: true, issuer: root, ...shape });
  const below = (shape: Partial<Shape>): [Issued, Issued] => {
    const between = authority(shape);
    return [alice({ issuer: between }), between];
  };
  const UNTRUSTED = 'with a certificate of no trusted authority';

  it.each<[string, Issued, string]>([
    [
      'with a certificate of another root of the same name',
      alice({ issuer: otherRoot }),
      UNTRUSTED,
    ],
    [
      'with a certificate that signs itself',
      issue({ subject: 'root', names: [['mail', ALICE]] }),
      UNTRUSTED,
    ],
    [
      'with that of another name',
      alice({ names: [['mail', 'mallory@example.com']] }),
      'by no trusted identity',
    ],
    [
      'with that of a longer name',
      alice({ names: [['mail', `${ALICE}.evil.org`]] }),
      'by no trusted identity',
    ],
    [
      'with that of a name in another case',
      alice({ names: [['mail', 'Alice@example.com']] }),
      'by no trusted identity',
    ],
    [
      'with that of a name with a NUL',
      alice({ names: [['mail', `${ALICE}\0.evil.org`]] }),
      'by no trusted identity',
    ],
    [
      'with that of a name that is ASCII but for high bits',
      alice({ names: [['mail', `\xe1${ALICE.slice(1)}`]] }),
      'by no trusted identity',
    ],
    [
      'with the name as its subject alone',
      issue({ subject: ALICE, issuer: root }),
      'by no trusted identity',
    ],
    [
      'with one that has expired',
      alice({ until: new Date(Date.now() - 1000) }),
      'with a certificate that has expired',
    ],
    [
      'with one that is not yet valid',
      alice({ from: new Date(Date.now() + DAY_MS), until: new Date(Date.now() + 2 * DAY_MS) }),
      'with a certificate that is not yet valid',
    ],
    [
      'with one for clients',
      alice({ usages: [OID.clientAuth] }),
      'with a certificate that is not for signing code',
    ],
    [
      'with one for nothing',
      alice({ usages: [] }),
      'with a certificate that is not for signing code',
    ],
    [
      'with one whose key may not sign',
      alice({ keyUsage: '001' }),
      'with a certificate that is not for signing',
    ],
    [
      'with that of an authority',
      alice({ isAuthority: true, usages: [OID.codeSigning], keyUsage: '100001' }),
      'with a certificate that is that of an authority',
    ],
    [
      'with a critical extension that nobody knows',
      alice({ extensions: [{ oid: '1.2.3.4', critical: true, value: der(0x05) }] }),
      'with a certificate that has a critical extension that is not known (1.2.3.4)',
    ],
    [
      'with an extension twice',
      alice({ extensions: [{ oid: '2.5.29.37', value: sequence() }] }),
      'with a certificate that',
    ],
  ])('%s', async (_what, leaf, why) => {
    const [message = ''] = await refusals(leaf);
    expect(message).toContain(why);
  });

  it.each<[string, [Issued, Issued]]>([
    ['that is no authority', below({ isAuthority: false })],
    ['that may not issue', below({ keyUsage: '1' })],
    ['that has expired', below({ until: new Date(Date.now() - 1000) })],
    ['that issues for clients alone', below({ usages: [OID.clientAuth] })],
    [
      'with name constraints',
      below({ extensions: [{ oid: OID.nameConstraints, value: sequence() }] }),
    ],
    ['by another root', below({ issuer: otherRoot })],
    ['that signs itself', below({ issuer: otherRoot, subject: 'root' })],
  ])('with a certificate of an authority %s', async (_what, [leaf, between]) => {
    expect(await refusals(leaf, { chain: [between] })).toEqual(refusal(UNTRUSTED));
    const by = trustCertificates([root], [ALICE], [between]);
    expect(await refusals(leaf, { by })).toEqual(refusal(UNTRUSTED));
  });

  it('below an authority that allows none below itself', async () => {
    const first = authority({ pathLength: 0, subject: 'first' });
    const second = issue({ subject: 'second', isAuthority: true, issuer: first });
    const leaf = alice({ issuer: second });
    expect(await refusals(leaf, { chain: [second, first] })).toEqual(refusal(UNTRUSTED));
    expect(await refusals(alice({ issuer: first }), { chain: [first] })).toEqual([]);
  });

  it('with a chain in which authorities issue each other', async () => {
    const one = issue({ subject: 'one', isAuthority: true });
    const two = issue({ subject: 'two', isAuthority: true, issuer: one });
    const again = issue({ subject: 'one', isAuthority: true, issuer: two, key: one.key });
    const leaf = alice({ issuer: two });
    expect(await refusals(leaf, { chain: [again, two] })).toEqual(refusal(UNTRUSTED));
  });

  it('with a longer chain than is looked at', async () => {
    const chain = [root];
    for (let depth = 1; depth <= 5; depth++) {
      const [issuer = root] = chain;
      chain.unshift(issue({ subject: `depth ${depth}`, isAuthority: true, issuer }));
    }
    const leafBelow = (issuer = root): Issued => alice({ issuer });
    expect(await refusals(leafBelow(chain[0]), { chain })).toEqual(refusal(UNTRUSTED));
    expect(await refusals(leafBelow(chain[2]), { chain: chain.slice(2) })).toEqual([]);
  });

  it('with somebody else’s certificate', async () => {
    const leaf = alice();
    expect(await refusals({ ...leaf, key: alice().key })).toEqual(
      refusal('not by its certificate'),
    );
  });

  it('without a certificate', async () => {
    expect(await refusals({ ...alice(), pem: '' })).toEqual(refusal('without a certificate'));
  });

  it('with a certificate that cannot be read', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(await refusals({ ...alice(), pem })).toEqual(refusal('without a certificate'));
  });

  it('with a certificate whose key cannot be read', async () => {
    expect(await refusals(withBrokenKey(alice()))).toEqual(refusal('without a certificate'));
  });

  it('with a certificate beside it whose key cannot be read', async () => {
    const chain = [withBrokenKey(middle)];
    expect(await refusals(alice(), { chain })).toEqual(refusal('without a certificate'));
  });

  it('once the certificate has expired, whenever it was made', async () => {
    const leaf = alice();
    expect(await refusals(leaf, { now: Date.now() + DAY_MS })).toEqual(
      refusal('with a certificate that has expired'),
    );
  });
});
