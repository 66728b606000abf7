import { printable } from '../respond/escape.ts';
import type { ArtefactFinding } from '../verify/artefact-finding.ts';
import type { ExplainedEntry, Explanation } from '../verify/explain.ts';
import { list } from '../verify/refusal-list.ts';
import type { Signer } from '../verify/signers.ts';
import type { Paint } from './paint.ts';

/** In characters of each foreign text. */
const MAX_TEXT = 500;

/** What each entry of a rule asks for, and a line for each signature or attestation that there is. */
export function explanationLines(explanation: Explanation, paint: Paint): readonly string[] {
  const entries = [...explanation.signatures, ...explanation.attestations];
  return entries.flatMap((entry) => entryLines(entry, paint));
}

function entryLines(entry: ExplainedEntry, paint: Paint): readonly string[] {
  const lines = [
    ...entry.findings.map((finding) => findingLine(finding, entry, paint)),
    ...entry.failures.map((why) => `${paint.yellow('unknown')}      ${printable(why, MAX_TEXT)}`),
  ];
  const head = `for ${printable(entry.expected, MAX_TEXT)}: `;
  return [
    `${head}${lines.length === 0 ? 'nothing found' : 'found'}`,
    ...lines.map((line) => `  ${line}`),
  ];
}

function findingLine(finding: ArtefactFinding, { by }: ExplainedEntry, paint: Paint): string {
  const { refusal, signers, strangers, predicateType } = finding;
  const mark = refusal === undefined ? `${paint.green('counts')}       ` : 'not counted  ';
  const parts = [
    predicateType === undefined ? whereOf(finding) : `${whereOf(finding)}, ${predicateType}`,
    ...(signers.length === 0 ? [] : [`by ${namesOf(signers, by)}`]),
    ...(refusal === undefined ? [] : [refusal]),
    ...(strangers.length === 0 ? [] : [namesOf(strangers, by)]),
  ];
  return mark + parts.map((part) => printable(part, MAX_TEXT)).join(': ');
}

/** `bundle in referrer sha256:..., layer 1` */
function whereOf({ form, way, place }: ArtefactFinding): string {
  if (way === undefined) return place;
  const where = way === 'tag' ? `tag ${place}` : `referrer ${place} (by the ${way})`;
  return form === undefined ? where : `${form} in ${where}`;
}

function namesOf(signers: readonly Signer[], by: ExplainedEntry['by']): string {
  return list(signers.map((signer) => nameOf(signer, by)));
}

function nameOf({ id, name, issuer }: Signer, by: ExplainedEntry['by']): string {
  if (by === 'key') return `${name} (key SHA-256 ${id})`;
  return issuer === undefined ? name : `${name} (issuer ${issuer})`;
}

/** The same for programs: a list for each of the two kinds that the rule asks for. */
export function explanationJson({ signatures, attestations }: Explanation): object {
  return {
    ...(signatures.length > 0 && { signatures: signatures.map(entryJson) }),
    ...(attestations.length > 0 && { attestations: attestations.map(entryJson) }),
  };
}

function entryJson({ expected, by, findings, failures }: ExplainedEntry): object {
  return { expected, found: findings.map((finding) => findingJson(finding, by)), failures };
}

function findingJson(finding: ArtefactFinding, by: ExplainedEntry['by']): object {
  const { place, way, form, signers, strangers, predicateType, refusal } = finding;
  return {
    counts: refusal === undefined,
    why: refusal ?? null,
    signers: [...signers, ...strangers].map(({ id, name, issuer }) => ({
      name,
      ...(by === 'key' ? { keySha256: id } : { issuer: issuer ?? null }),
    })),
    form: form ?? null,
    place,
    way: way ?? null,
    ...(predicateType !== undefined && { predicateType }),
  };
}
