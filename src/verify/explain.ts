import type { RegistryRequirement, Signers } from '../rules/registry-requirement.ts';
import { findingOfUnusable } from './artefact-finding.ts';
import type { ArtefactFinding } from './artefact-finding.ts';
import type { Artefact } from './artefact.ts';
import { AttestationReading } from './attestation-reading.ts';
import { attestationExpectation } from './attestation-text.ts';
import { discoverArtefacts } from './discover.ts';
import type { Discovery } from './discover.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';
import { signatureExpectation } from './signature-text.ts';
import { judgeSignature } from './verify-signatures.ts';

/** What lies beside an image, held against the entries of a rule: all of it, whatever is enough. */
export interface Explanation {
  /** In the order of the entries, as are the attestations. */
  readonly signatures: readonly ExplainedEntry[];
  readonly attestations: readonly ExplainedEntry[];
}

export interface ExplainedEntry {
  /** What the entry asks for: `a signature by release.pub`. */
  readonly expected: string;
  /** What signers are known by: of a key, the id of a signer is its fingerprint. */
  readonly by: 'key' | 'certificate';
  readonly findings: readonly ArtefactFinding[];
  /** What could not be looked at. */
  readonly failures: readonly string[];
}

/**
 * Tells of each signature and attestation who made it, and why it counts or does not.
 *
 * @throws {ImageCheckerError} `registry-corrupt`
 */
export async function explain(
  image: ResolvedImage,
  { signatures, attestations }: Pick<RegistryRequirement, 'signatures' | 'attestations'>,
  context: VerifyContext,
): Promise<Explanation> {
  return {
    signatures: await explainEntries(signatures, {
      find: () => discoverArtefacts(image, 'signature', context),
      expectationOf: signatureExpectation,
      judgeOf: (artefact) => (entry) => judgeSignature(artefact, entry, image, context),
    }),
    attestations: await explainEntries(attestations, {
      find: () => discoverArtefacts(image, 'attestation', context),
      expectationOf: attestationExpectation,
      judgeOf: (artefact) => {
        const reading = new AttestationReading(artefact, image, context);
        return (entry) => reading.findingFor(entry);
      },
    }),
  };
}

/** How entries of one kind are held against what lies beside an image. */
interface Judging<Entry> {
  readonly find: () => Promise<Discovery>;
  readonly expectationOf: (entry: Entry) => string;
  /** Of an artefact, what tells by an entry what becomes of it. */
  readonly judgeOf: (artefact: Artefact) => (entry: Entry) => Promise<ArtefactFinding>;
}

async function explainEntries<Entry extends Signers>(
  entries: readonly Entry[],
  { find, expectationOf, judgeOf }: Judging<Entry>,
): Promise<readonly ExplainedEntry[]> {
  if (entries.length === 0) return [];
  const { artefacts, unusable, failures } = await find();
  const findings = entries.map((): ArtefactFinding[] => []);
  // One artefact at a time, for all that ask: a statement may be large, and none is kept.
  for (const artefact of artefacts) {
    const judge = judgeOf(artefact);
    for (const [at, entry] of entries.entries()) findings[at]?.push(await judge(entry));
  }
  return entries.map((entry, at) => ({
    expected: expectationOf(entry),
    by: entry.keys.length > 0 ? 'key' : 'certificate',
    findings: [...(findings[at] ?? []), ...unusable.map(findingOfUnusable)],
    failures: failures.map(({ message }) => message),
  }));
}
