import { resolve } from 'node:path';
import { parseYaml } from '../files/document.ts';
import type { SourceText } from '../files/document.ts';
import { readPlain } from '../files/read-plain-file.ts';
import { systemMessage } from '../files/read-text-file.ts';

/** A file that the rules file names: keys, certificates, a trusted root. */
export interface RuleFile {
  /** Absolute. */
  readonly path: string;
  /** Undefined when it could not be read. */
  readonly text: string | undefined;
  /** Why it could not be read. */
  readonly mistake: string | undefined;
}

/** By the name that the rules file gives them. */
export type RuleFiles = ReadonlyMap<string, RuleFile>;

/** Of rules that name no files, and where none are read. */
export const NO_FILES: RuleFiles = new Map();

/** Bytes: a trusted root of the public instance has 15 KiB. */
const MAX_BYTES = 1024 * 1024;

/** An entry of `require.signatures` or `require.attestations` as it is written, and where it is. */
export interface WrittenEntry {
  readonly path: readonly (string | number)[];
  readonly entry: Readonly<Record<string, unknown>>;
}

/** The entries of a document that may be anything yet. */
export function writtenEntries(document: unknown): readonly WrittenEntry[] {
  const spec = mappingOf(mappingOf(document)['spec']);
  return listOf(spec['rules']).flatMap((rule, index) => {
    const require = mappingOf(mappingOf(rule)['require']);
    return ['signatures', 'attestations'].flatMap((key) =>
      listOf(require[key]).map((entry, at) => ({
        path: ['spec', 'rules', index, 'require', key, at],
        entry: mappingOf(entry),
      })),
    );
  });
}

/** A text that may be the PEM itself or the name of a file that holds it, and its place. */
export interface WrittenText {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/** The texts under these keys of an entry: `keys` is a list, `keyless.trustedRoot` lies deeper. */
export function writtenTexts(
  { path, entry }: WrittenEntry,
  key: 'keys' | 'certificateChain' | 'trustedRoot',
): readonly WrittenText[] {
  if (key === 'keys') {
    return listOf(entry['keys']).flatMap((text, index) => textAt([...path, 'keys', index], text));
  }
  if (key === 'certificateChain') return textAt([...path, key], entry[key]);
  return textAt([...path, 'keyless', key], mappingOf(entry['keyless'])[key]);
}

/** Whether a text is PEM and no name of a file. */
export function isInline(text: string): boolean {
  return text.includes('-----BEGIN');
}

/**
 * Most rules name no signers, and large ones take their time to read. YAML can spell a key with
 * escapes, so a text with a backslash may name anything.
 */
function mayNameSigners({ text }: SourceText): boolean {
  return /keys|certificateChain|keyless|\\/.test(text);
}

/**
 * Reads the files that a rules file names.
 *
 * @param folder that of the rules file: what they are relative to
 */
export async function readRuleFiles(source: SourceText, folder: string): Promise<RuleFiles> {
  if (!mayNameSigners(source)) return NO_FILES;
  const entries = writtenEntries(parseYaml(source).value);
  const texts = entries.flatMap((entry) =>
    (['keys', 'certificateChain', 'trustedRoot'] as const).flatMap((key) =>
      writtenTexts(entry, key),
    ),
  );
  const names = new Set(texts.map(({ text }) => text).filter((text) => !isInline(text)));
  const read = [...names].map(
    async (name) => [name, await readOne(resolve(folder, name))] as const,
  );
  return new Map(await Promise.all(read));
}

async function readOne(path: string): Promise<RuleFile> {
  try {
    const { text } = await readPlain(path, MAX_BYTES);
    return { path, text, mistake: undefined };
  } catch (thrown) {
    return { path, text: undefined, mistake: systemMessage(thrown) };
  }
}

function mappingOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textAt(path: WrittenText['path'], value: unknown): readonly WrittenText[] {
  return typeof value === 'string' && value !== '' ? [{ path, text: value }] : [];
}
