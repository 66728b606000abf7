import { dirname } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import type { SourceText } from '../files/document.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import { compilePolicy } from './compile.ts';
import type { Policy } from './policy.ts';
import { readPolicy } from './read-policy.ts';
import { NO_FILES, readRuleFiles } from './rule-files.ts';
import type { RuleFiles } from './rule-files.ts';

const HINT = 'name a rules file; `image-checker setup` writes a first one';

/**
 * Reads and compiles a rules file and the files that it names.
 *
 * @throws {ImageCheckerError} `file-unreadable`, or `rules-invalid` with every mistake in it
 */
export async function loadPolicy(file: string): Promise<Policy> {
  const source = { file, text: (await readPlainFile(file, HINT)).text };
  return parsePolicy(source, await readRuleFiles(source, dirname(file)));
}

/**
 * @param files those that the rules name, already read
 * @throws {ImageCheckerError} `rules-invalid` with every mistake in the text
 */
export function parsePolicy(source: SourceText, files: RuleFiles = NO_FILES): Policy {
  const read = readPolicy(source, files);
  if (!read.ok) throw new ImageCheckerError('rules-invalid', read.problems);
  return compilePolicy(read.value, source.text, files);
}
