import { bundleFromJSON } from '@sigstore/bundle';
import type { Bundle } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { systemCode } from '../errors.ts';
import type { KeylessTrust } from '../rules/registry-requirement.ts';
import type { Artefact } from './artefact.ts';
import { isBoundedBundle } from './bundle-bounds.ts';
import { toBundle } from './rekor-bundle.ts';

export type CheckedBundle =
  | { readonly ok: true; /** DER: the certificate that was verified. */ readonly leaf: Uint8Array }
  | { readonly ok: false; readonly reason: string };

const verifiers = new WeakMap<KeylessTrust, Verifier>();

/**
 * Whether a signature is with a certificate of the trusted root's Fulcio, logged there (certificate
 * transparency) and in its Rekor while it was valid. Who signed is not looked at.
 */
export function checkKeyless(artefact: Artefact, trust: KeylessTrust): CheckedBundle {
  const { payloadType, payload, bundle } = artefact;
  const found = bundle === undefined ? toBundle(artefact) : { ok: true as const, json: bundle };
  if (!found.ok) return found;
  const { json } = found;
  if (!isBoundedBundle(json)) return { ok: false, reason: 'with too much in its bundle' };
  try {
    const bundle = bundleFromJSON(json);
    const leaf = leafOf(bundle);
    if (leaf === undefined || !isAbout(bundle, payloadType, payload)) {
      return { ok: false, reason: 'without a certificate' };
    }
    if (!hasPlainCheckpoints(bundle)) return { ok: false, reason: 'in no trusted log' };
    verifierOf(trust).verify(toSignedEntity(bundle, Buffer.from(payload)));
    return { ok: true, leaf };
  } catch (thrown) {
    return { ok: false, reason: reasonOf(systemCode(thrown)) };
  }
}

/** By the library's codes: its messages quote what it read. */
function reasonOf(code: string): string {
  if (code === 'CERTIFICATE_ERROR') return 'with a certificate of no trusted authority';
  if (code === 'SIGNATURE_ERROR') return 'not by its certificate';
  if (code.startsWith('TLOG_') || code === 'TIMESTAMP_ERROR') return 'in no trusted log';
  return 'not readable';
}

function verifierOf(trust: KeylessTrust): Verifier {
  const known = verifiers.get(trust);
  if (known !== undefined) return known;
  const root = TrustedRoot.fromJSON(JSON.parse(trust.trustedRoot));
  const thresholds = { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 };
  const verifier = new Verifier(toTrustMaterial(root), thresholds);
  verifiers.set(trust, verifier);
  return verifier;
}

const CHECKPOINT_SIGNATURE = /\u2014 (\S+) \S+\n/g;
const PLAIN_NAME = /^[A-Za-z0-9.:/_-]{1,200}$/;

/**
 * The library takes the name of a checkpoint's signer for a regular expression: one that came with
 * the image could keep it busy for ever.
 */
function hasPlainCheckpoints({ verificationMaterial: { tlogEntries } }: Bundle): boolean {
  return tlogEntries
    .flatMap(({ inclusionProof }) => inclusionProof?.checkpoint?.envelope ?? [])
    .flatMap((envelope) => [...envelope.matchAll(CHECKPOINT_SIGNATURE)])
    .every(([, name = '']) => PLAIN_NAME.test(name));
}

function leafOf({ verificationMaterial: { content } }: Bundle): Uint8Array | undefined {
  if (content.$case === 'certificate') return content.certificate.rawBytes;
  if (content.$case === 'publicKey') return undefined;
  return content.x509CertificateChain.certificates[0]?.rawBytes;
}

/** Two readers have read it: what is judged afterwards has to be what was verified. */
function isAbout(
  { content }: Bundle,
  payloadType: string | undefined,
  payload: Uint8Array,
): boolean {
  if (content.$case === 'messageSignature') return payloadType === undefined;
  const { dsseEnvelope } = content;
  return dsseEnvelope.payloadType === payloadType && dsseEnvelope.payload.equals(payload);
}
