import assert from 'node:assert/strict';
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { parseImageReference } from '../../src/parse/image-reference.ts';
import type { Signers } from '../../src/rules/registry-requirement.ts';
import { readLayer } from '../../src/verify/artefact-layer.ts';
import type { Artefact } from '../../src/verify/artefact.ts';
import { preAuthenticationEncoding } from '../../src/verify/dsse.ts';
import { claimsRefusal } from '../../src/verify/signature-claims.ts';
import { findSigners } from '../../src/verify/signers.ts';
import { DIGEST } from '../support/policy.ts';
import { identity } from '../support/trust.ts';
import { AUTHORITY, ISSUER, NAME, PUBLIC_KEY, SIGNED, TRUSTED_ROOT } from './signed.ts';
import { textOf } from './text.ts';

const NOTHING_ASKED = { annotations: new Map<string, string>(), repositories: [] };
const CONTEXT = {
  now: () => Date.parse('2026-11-27T12:00:00Z'),
  signal: new AbortController().signal,
};
const key = { source: 'cosign.pub', key: createPublicKey(PUBLIC_KEY), id: 'the key' };
const roots = [new X509Certificate(AUTHORITY)];
const NOBODY: Signers = { keys: [], certificates: undefined, keyless: undefined };
const TRUSTED: Readonly<Record<keyof typeof SIGNED, Signers>> = {
  key: { ...NOBODY, keys: [key] },
  certificate: {
    ...NOBODY,
    certificates: { roots, intermediates: [], identities: [identity(NAME)] },
  },
  keyless: {
    ...NOBODY,
    keyless: { trustedRoot: TRUSTED_ROOT, identities: [identity(NAME, ISSUER)] },
  },
};
const IMAGE = imageOf(`registry.example.com/team/app@${DIGEST}`);

export interface TrustedLayer {
  readonly how: keyof typeof SIGNED;
  /** SHA-256 of what the signature is over. */
  readonly hash: string;
  /** Whether it counts as a signature of the image. */
  readonly speaks: boolean;
}

/** What somebody trusted has signed of a layer: its first line is the descriptor, the rest the blob. */
export async function trustedIn(data: Uint8Array): Promise<readonly TrustedLayer[]> {
  const artefact = artefactIn(data);
  if (artefact === undefined) return [];
  const { payloadType, payload, signed } = artefact;
  const encoded =
    payloadType === undefined ? payload : preAuthenticationEncoding({ payloadType, payload });
  assert.equal(hashOf(encoded), hashOf(signed));
  const found: TrustedLayer[] = [];
  for (const how of ['key', 'certificate', 'keyless'] as const) {
    const { signers, reason } = await findSigners(artefact, TRUSTED[how], CONTEXT);
    assert.equal(signers.length === 0, reason !== undefined);
    const speaks = claimsRefusal(artefact, IMAGE, NOTHING_ASKED) === undefined;
    if (signers.length > 0) found.push({ how, hash: hashOf(signed), speaks });
  }
  return found;
}

function artefactIn(data: Uint8Array): Artefact | undefined {
  const end = data.indexOf(0x0a);
  if (end < 0) return undefined;
  const { mediaType, annotations } = Object(parse(textOf(data.subarray(0, end)))) as Fields;
  if (typeof mediaType !== 'string') return undefined;
  const texts = Object.entries(Object(annotations) as Fields).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  );
  const blob = data.subarray(end + 1);
  const layer = {
    mediaType,
    digest: '',
    size: blob.length,
    annotations: Object.fromEntries(texts),
  };
  return readLayer(layer, blob, { place: 'layer', way: 'tag' });
}

type Fields = Readonly<Record<string, unknown>>;

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function imageOf(name: string): Parameters<typeof claimsRefusal>[1] {
  const parsed = parseImageReference(name);
  assert.ok(parsed.ok);
  const manifest = { digest: DIGEST, mediaType: '', bytes: Buffer.alloc(0) };
  return { reference: parsed.reference, digest: DIGEST, manifest };
}
