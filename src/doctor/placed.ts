import { parseYaml } from '../files/document.ts';
import type { PlacedDocument } from '../files/document.ts';
import { nearest } from '../files/nearest.ts';
import { readDisk } from './disk.ts';
import type { CheckId, Findings } from './finding.ts';
import type { GivenFile } from './options.ts';

export type Mapping = Readonly<Record<string, unknown>>;

/** A file that holds one YAML mapping; what keeps it from being read is found under the id. */
export async function readPlaced(
  given: GivenFile,
  id: CheckId,
  findings: Findings,
): Promise<PlacedDocument | undefined> {
  const { file } = given;
  const read = given.text === undefined ? await readDisk(file) : { text: given.text };
  if ('problem' in read) {
    findings.fail(id, read.problem);
    return undefined;
  }
  const document = parseYaml({ file, text: read.text });
  for (const problem of document.problems) findings.fail(id, problem);
  if (document.problems.length > 0) return undefined;
  if (isMapping(document.value)) return document;
  findings.fail(id, { file, message: 'expected a mapping, got something else' });
  return undefined;
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Findings about values of one document. */
export class Placed {
  readonly #document: PlacedDocument;
  readonly #file: string;
  readonly findings: Findings;

  constructor(document: PlacedDocument, file: string, findings: Findings) {
    this.#document = document;
    this.#file = file;
    this.findings = findings;
  }

  fail(id: CheckId, path: readonly PropertyKey[], message: string, hint?: string): void {
    this.findings.fail(id, this.#document.problemOf({ path, message, ...(hint && { hint }) }));
  }

  warn(id: CheckId, path: readonly PropertyKey[], message: string, hint?: string): void {
    this.findings.warn(id, this.#document.problemOf({ path, message, ...(hint && { hint }) }));
  }

  ok(id: CheckId, message: string): void {
    this.findings.ok(id, message, this.#file);
  }

  oneOf(
    id: CheckId,
    root: Mapping,
    key: string,
    {
      expected,
      known,
    }: { readonly expected: readonly string[]; readonly known: readonly string[] },
  ): void {
    const got = root[key];
    if (typeof got === 'string' && expected.includes(got)) {
      this.ok(id, `${key}: ${got}`);
      return;
    }
    // A misspelt key is told as that.
    if (got === undefined && hasSlipOf(root, key, known)) return;
    const hint = `write ${key}: ${expected[0] ?? ''}`;
    this.fail(id, [key], `${key}: expected ${expected.join(' or ')}, got ${show(got)}`, hint);
  }

  keys(
    id: CheckId,
    value: Mapping,
    { path, known }: { readonly path: readonly PropertyKey[]; readonly known: readonly string[] },
  ): void {
    for (const key of Object.keys(value).filter((each) => !known.includes(each))) {
      const meant = nearest(key, known);
      const hint = meant === undefined ? `known: ${known.join(', ')}` : `did you mean "${meant}"?`;
      const message = `unknown key ${JSON.stringify(key)}`;
      this.findings.fail(
        id,
        this.#document.problemOf({ path: [...path, key], atKey: true, message, hint }),
      );
    }
  }
}

/** Whether a mapping holds an unknown key by which this one was meant. */
export function hasSlipOf(value: Mapping, key: string, known: readonly string[]): boolean {
  return Object.keys(value).some((each) => !known.includes(each) && nearest(each, known) === key);
}

export function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : JSON.stringify(value).slice(0, 100);
}
