import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { ed25519ph } from '@noble/curves/ed25519.js';
import type { Artefact } from '../../src/verify/artefact.ts';
import { preAuthenticationEncoding } from '../../src/verify/dsse.ts';
import { findSigners } from '../../src/verify/signers.ts';
import { KINDS, newSigningKey, signAs } from '../support/cosign.ts';
import type { Kind, SigningKey, Style } from '../support/cosign.ts';
import { trustKeys } from '../support/trust.ts';

const NOW = Date.now();
const CONTEXT = { now: () => NOW, signal: new AbortController().signal };
const PAYLOAD = Buffer.from('{"critical":{}}');

const keys = new Map(KINDS.map((kind) => [kind, [newSigningKey(kind), newSigningKey(kind)]]));

function keysOf(kind: Kind): readonly [SigningKey, SigningKey] {
  const [own, other] = keys.get(kind) ?? [];
  if (own === undefined || other === undefined) throw new Error(`no keys of ${kind}`);
  return [own, other];
}

function artefactOf(signatures: readonly Uint8Array[], signed: Uint8Array = PAYLOAD): Artefact {
  const payloadType = undefined;
  const common = {
    place: 'test',
    way: 'tag' as const,
    certificates: [],
    bundle: undefined,
    rekorBundle: undefined,
  };
  return { ...common, payloadType, payload: PAYLOAD, signed, signatures };
}

const STYLES: readonly Style[] = [2, 3];
const rows = KINDS.flatMap((kind) => STYLES.map((style) => ({ kind, style })));

describe.each(rows)('a signature by $kind as cosign $style makes it', ({ kind, style }) => {
  const [own, other] = keysOf(kind);
  const good = signAs(style, own, PAYLOAD);

  it('is found to be by its key, beside others', async () => {
    const { signers } = await findSigners(artefactOf([good]), trustKeys(other, own), CONTEXT);
    expect(signers).toEqual([{ id: own.trusted.id, name: 'cosign.pub' }]);
  });

  it.each<[string, Artefact]>([
    ['over other bytes', artefactOf([good], Buffer.from('{"critical": {}}'))],
    ['cut short', artefactOf([good.subarray(0, -1)])],
    ['with a bit turned', artefactOf([good.map((byte, at) => (at === 20 ? byte ^ 1 : byte))])],
    ['with a byte more', artefactOf([Buffer.concat([good, Buffer.of(0)])])],
    ['that is empty', artefactOf([new Uint8Array()])],
    ['of zeros', artefactOf([new Uint8Array(good.length)])],
    [
      'over an envelope in place of its payload',
      artefactOf([good], preAuthenticationEncoding({ payloadType: '', payload: PAYLOAD })),
    ],
  ])('is by nobody %s', async (_what, artefact) => {
    const { signers, reason } = await findSigners(artefact, trustKeys(own, other), CONTEXT);
    expect({ signers, reason }).toEqual({ signers: [], reason: 'by no trusted key' });
  });

  it('is by nobody when another key is trusted', async () => {
    expect((await findSigners(artefactOf([good]), trustKeys(other), CONTEXT)).signers).toEqual([]);
  });

  it('is by nobody when no key is trusted', async () => {
    expect((await findSigners(artefactOf([good]), trustKeys(), CONTEXT)).signers).toEqual([]);
  });
});

describe('the deadline', () => {
  it('ends the search between two keys', async () => {
    const [own, other] = keysOf('Ed25519');
    const deadline = new AbortController();
    const context = { now: () => NOW, signal: deadline.signal };
    const [first, last] = trustKeys(other, own).keys;
    if (first === undefined || last === undefined) throw new Error('no keys');
    const ending = {
      ...first,
      get key() {
        deadline.abort();
        return first.key;
      },
    };
    const trusted = { ...trustKeys(), keys: [ending, last] };
    const found = findSigners(artefactOf([signAs(2, own, PAYLOAD)]), trusted, context);
    await expect(found).rejects.toMatchObject({ code: 'registry-limited' });
  });

  it('is looked at before the first', async () => {
    const context = { now: () => NOW, signal: AbortSignal.abort() };
    const found = findSigners(artefactOf([]), trustKeys(), context);
    await expect(found).rejects.toMatchObject({ code: 'registry-limited' });
  });
});

describe('several signatures of one artefact', () => {
  it('are by as many signers as keys made them', async () => {
    const [p256] = keysOf('P-256');
    const [rsa] = keysOf('RSA');
    const signatures = [signAs(2, p256, PAYLOAD), Buffer.of(1), signAs(2, rsa, PAYLOAD)];
    const { signers } = await findSigners(artefactOf(signatures), trustKeys(rsa, p256), CONTEXT);
    expect(signers.map(({ id }) => id)).toEqual([p256.trusted.id, rsa.trusted.id]);
  });
});

describe('a signature by Ed25519 over some megabytes', () => {
  const [own, other] = keysOf('Ed25519');
  const large = Buffer.alloc(4 * 1024 * 1024, 7);
  const good = signAs(3, own, large);

  it('is found to be by its key alone', async () => {
    const signersBy = async (key: SigningKey) =>
      (await findSigners(artefactOf([good], large), trustKeys(key), CONTEXT)).signers.length;
    expect([await signersBy(own), await signersBy(other)]).toEqual([1, 0]);
  });

  it('costs a small part of what the library takes to hash it', async () => {
    const signatures = Array.from({ length: 8 }, () => good);
    const { x = '' } = other.trusted.key.export({ format: 'jwk' });
    const publicKey = Buffer.from(x, 'base64url');
    const before = process.cpuUsage();
    await findSigners(artefactOf(signatures, large), trustKeys(other), CONTEXT);
    const ours = process.cpuUsage(before).user;
    for (const each of signatures) ed25519ph.verify(each, large, publicKey);
    expect(ours).toBeLessThan((process.cpuUsage(before).user - ours) / 2);
  });
});
