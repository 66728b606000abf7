import { ImageCheckerError } from '../errors.ts';
import { readDocument } from '../files/document.ts';
import type { SourceText } from '../files/document.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { compilePolicy } from './compile.ts';
import type { Policy } from './policy.ts';
import { imagePolicySchema } from './schema.ts';

const HINT = 'name a rules file; `image-checker setup` writes a first one';

/**
 * Reads and compiles a rules file.
 *
 * @throws {ImageCheckerError} `file-unreadable`, or `rules-invalid` with every mistake in it
 */
export async function loadPolicy(file: string): Promise<Policy> {
  return parsePolicy({ file, text: await readTextFile(file, HINT) });
}

/** @throws {ImageCheckerError} `rules-invalid` with every mistake in the text */
export function parsePolicy(source: SourceText): Policy {
  const read = readDocument(source, imagePolicySchema);
  if (!read.ok) throw new ImageCheckerError('rules-invalid', read.problems);
  return compilePolicy(read.value, source.text);
}
