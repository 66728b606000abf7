import { readFile } from 'node:fs/promises';
import { ImageCheckerError, messageOf } from '../errors.ts';
import { readDocument } from '../files/document.ts';
import type { SourceText } from '../files/document.ts';
import { compilePolicy } from './compile.ts';
import type { Policy } from './policy.ts';
import { imagePolicySchema } from './schema.ts';

/**
 * Reads and compiles a rules file.
 *
 * @throws {ImageCheckerError} `file-unreadable`, or `rules-invalid` with every mistake in it
 */
export async function loadPolicy(file: string): Promise<Policy> {
  return parsePolicy({ file, text: await readRules(file) });
}

/** @throws {ImageCheckerError} `rules-invalid` with every mistake in the text */
export function parsePolicy(source: SourceText): Policy {
  const read = readDocument(source, imagePolicySchema);
  if (!read.ok) throw new ImageCheckerError('rules-invalid', read.problems);
  return compilePolicy(read.value, source.text);
}

async function readRules(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    const hint = 'name a rules file; `image-checker setup` writes a first one';
    const problem = { file, message: `cannot be read: ${messageOf(thrown)}`, hint };
    throw new ImageCheckerError('file-unreadable', problem, { cause: thrown });
  }
}
