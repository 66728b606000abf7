import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { parseImageReference } from '../../../src/parse/image-reference.ts';
import { readLayer } from '../../../src/verify/artefact-layer.ts';
import { readArtefactManifest } from '../../../src/verify/artefact-manifest.ts';
import { partsOf } from '../../../src/verify/certificate-parts.ts';
import { toBundle } from '../../../src/verify/rekor-bundle.ts';
import { claimsRefusal } from '../../../src/verify/signature-claims.ts';
import { OTHER_DIGEST } from '../../support/policy.ts';

const TYPES = [
  'application/vnd.dev.cosign.simplesigning.v1+json',
  'application/vnd.dsse.envelope.v1+json',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
];
const ANNOTATIONS = { 'dev.cosignproject.cosign/signature': 'AAAA' };
const NOTHING_ASKED = { annotations: new Map<string, string>(), repositories: [] };

/**
 * What lies beside an image is read, or not, and never throws; and none of it speaks for an image
 * whose digest it does not hold.
 */
export function fuzz(bytes: Uint8Array): void {
  const manifest = { digest: OTHER_DIGEST, mediaType: '', bytes };
  readArtefactManifest(manifest);
  const certificate = certificateOf(bytes);
  if (certificate !== undefined) partsOf(certificate);
  const reference = parseImageReference(`registry.example.com/team/app@${OTHER_DIGEST}`);
  assert.ok(reference.ok);
  const image = { ...reference, digest: OTHER_DIGEST, manifest };
  for (const mediaType of TYPES) {
    const layer = { mediaType, digest: '', size: bytes.length, annotations: ANNOTATIONS };
    const artefact = readLayer(layer, bytes, { place: 'layer', way: 'tag' });
    if (artefact === undefined) continue;
    toBundle({ ...artefact, rekorBundle: Buffer.from(bytes).toString() });
    const holds = Buffer.from(artefact.payload).includes(OTHER_DIGEST.slice(7));
    assert.ok(holds || claimsRefusal(artefact, image, NOTHING_ASKED) !== undefined);
  }
}

function certificateOf(bytes: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}
