import { isInline, writtenEntries, writtenTexts } from './rule-files.ts';
import type { RuleFiles, WrittenEntry, WrittenText } from './rule-files.ts';
import { readChain, readKey, readTrustedRoot } from './trust-material.ts';
import type { Material } from './trust-material.ts';

/** Something about what a rules file names, at its place in the document. */
export interface SignerIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint: string;
}

const DAY_MS = 86_400_000;
/** Long enough before the end to get another certificate. */
const WARN_DAYS = 30;

/** What is wrong with the keys, certificates and trusted roots that a document names. */
export function findSignerMistakes(document: unknown, files: RuleFiles): readonly SignerIssue[] {
  return writtenEntries(document).flatMap((entry) => [
    ...keyMistakes(entry, files),
    ...mistakesIn(writtenTexts(entry, 'certificateChain'), files, readChain),
    ...mistakesIn(writtenTexts(entry, 'trustedRoot'), files, readTrustedRoot),
  ]);
}

function keyMistakes(entry: WrittenEntry, files: RuleFiles): readonly SignerIssue[] {
  const texts = writtenTexts(entry, 'keys');
  const seen = new Map<string, string>();
  return texts.flatMap((text): readonly SignerIssue[] => {
    const read = materialOf(text, files, (pem) => readKey(pem, text.text));
    if (!read.ok) return [issueOf(text, read)];
    const first = seen.get(read.value.id);
    seen.set(read.value.id, nameOf(text.text));
    if (first === undefined) return [];
    const message = `the same key as ${first}`;
    return [{ path: text.path, message, hint: 'list each key once: it counts once' }];
  });
}

function nameOf(text: string): string {
  return isInline(text) ? 'another one of the list' : text;
}

function mistakesIn<T>(
  texts: readonly WrittenText[],
  files: RuleFiles,
  read: (text: string) => Material<T>,
): readonly SignerIssue[] {
  return texts.flatMap((text) => {
    const material = materialOf(text, files, read);
    return material.ok ? [] : [issueOf(text, material)];
  });
}

function materialOf<T>(
  { text }: WrittenText,
  files: RuleFiles,
  read: (text: string) => Material<T>,
): Material<T> {
  if (isInline(text)) return read(text);
  const file = files.get(text);
  if (file?.text !== undefined) return read(file.text);
  const why = file?.mistake ?? 'files are not read here';
  const hint = 'a path is relative to the rules file; PEM may be written in place of it';
  return { ok: false, error: `${file?.path ?? text} cannot be read: ${why}`, hint };
}

function issueOf(
  { path }: WrittenText,
  { error, hint }: { readonly error: string; readonly hint: string },
): SignerIssue {
  return { path, message: error, hint };
}

/**
 * What will hardly do: authorities that have expired, or soon will.
 *
 * @param now milliseconds since 1970
 */
export function findSignerWarnings(
  document: unknown,
  files: RuleFiles,
  now: number,
): readonly SignerIssue[] {
  return writtenEntries(document)
    .flatMap((entry) => writtenTexts(entry, 'certificateChain'))
    .flatMap((text) => {
      const chain = materialOf(text, files, readChain);
      if (!chain.ok) return [];
      const { roots, intermediates } = chain.value;
      const ends = [...roots, ...intermediates].map(({ validTo }) => Date.parse(validTo));
      return warnOfEnd(text, Math.min(...ends), now);
    });
}

function warnOfEnd({ path }: WrittenText, end: number, now: number): readonly SignerIssue[] {
  if (end > now + WARN_DAYS * DAY_MS) return [];
  const day = new Date(end).toISOString().slice(0, 10);
  const message =
    end < now
      ? `an authority expired on ${day}: no signature by its certificates counts any more`
      : `an authority expires on ${day}: no signature by its certificates counts then`;
  return [{ path, message, hint: 'have the certificate renewed, and sign anew below it' }];
}
