import assert from 'node:assert/strict';
import { bundleFromJSON } from '@sigstore/bundle';
import type { Bundle as LibraryBundle } from '@sigstore/bundle';
import { parseBoundedJson } from '../../../src/parse/bounded-json.ts';
import { isBoundedBundle } from '../../../src/verify/bundle-bounds.ts';
import { readBundle } from '../../../src/verify/bundle.ts';
import type { Bundle } from '../../../src/verify/bundle.ts';
import { preAuthenticationEncoding } from '../../../src/verify/dsse.ts';

/**
 * A bundle is what the library takes it for, or nothing; and what is within the bounds is so by the
 * library's reading too.
 */
export function fuzz(bytes: Uint8Array): void {
  const json = parseBoundedJson(bytes);
  const own = readBundle(json);
  if (own !== undefined) expectEnvelope(own.envelope);
  const theirs = readByLibrary(json);
  if (theirs === undefined) return;
  if (isBoundedBundle(json)) expectBounded(theirs);
  if (own !== undefined) expectSame(own, theirs);
}

function readByLibrary(json: unknown): LibraryBundle | undefined {
  try {
    return bundleFromJSON(json);
  } catch {
    return undefined;
  }
}

/** What is signed can be taken apart again in one way alone. */
function expectEnvelope(envelope: Bundle['envelope']): void {
  const { payloadType, payload, signatures } = envelope;
  assert.ok(signatures.length >= 1 && signatures.length <= 8);
  const signed = Buffer.from(preAuthenticationEncoding(envelope));
  const text = signed.toString('latin1');
  const typeLength = Number(/^DSSEv1 (\d+) /.exec(text)?.[1]);
  const typeAt = `DSSEv1 ${typeLength} `.length;
  assert.equal(signed.toString('utf8', typeAt, typeAt + typeLength), payloadType);
  const rest = text.slice(typeAt + typeLength);
  assert.equal(rest, ` ${payload.length} ${Buffer.from(payload).toString('latin1')}`);
}

function expectBounded({ verificationMaterial }: LibraryBundle): void {
  const { tlogEntries, timestampVerificationData: times, content } = verificationMaterial;
  assert.ok(tlogEntries.length <= 8);
  for (const { inclusionProof: proof } of tlogEntries) {
    assert.ok((proof?.hashes.length ?? 0) <= 64);
    assert.ok((proof?.checkpoint?.envelope.length ?? 0) <= 16 * 1024);
  }
  assert.ok((times?.rfc3161Timestamps.length ?? 0) <= 8);
  if (content.$case === 'x509CertificateChain') {
    assert.ok(content.x509CertificateChain.certificates.length <= 10);
  }
}

function expectSame({ envelope, certificates }: Bundle, theirs: LibraryBundle): void {
  const { content, verificationMaterial } = theirs;
  assert.ok(content.$case === 'dsseEnvelope');
  const { payloadType, payload, signatures } = content.dsseEnvelope;
  assert.equal(payloadType, envelope.payloadType);
  assert.equal(hex(payload), hex(envelope.payload));
  assert.deepEqual(
    signatures.map(({ sig }) => hex(sig)),
    envelope.signatures.map(hex),
  );
  assert.deepEqual(certificatesOf(verificationMaterial).map(hex), certificates.map(hex));
}

function certificatesOf({ content }: LibraryBundle['verificationMaterial']): readonly Uint8Array[] {
  if (content.$case === 'publicKey') return [];
  if (content.$case === 'certificate') return [content.certificate.rawBytes];
  return content.x509CertificateChain.certificates.map(({ rawBytes }) => rawBytes);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
