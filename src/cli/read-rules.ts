import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { unreadable } from '../files/read-text-file.ts';
import type { SourceText } from '../files/document.ts';
import { parsePolicy } from '../rules/load.ts';
import type { Policy } from '../rules/policy.ts';
import { readRuleFiles } from '../rules/rule-files.ts';
import { DEFAULT_SERVICE_FOLDER } from '../setup/layout.ts';

/** Where `setup` puts the rules of a control-plane node. */
export const DEFAULT_RULES = join(DEFAULT_SERVICE_FOLDER, 'rules.yaml');

/** A file as the user named it, relative to the folder the user is in. */
export async function readSource(file: string, cwd: string, hint: string): Promise<SourceText> {
  try {
    return { file, text: await readFile(resolve(cwd, file), 'utf8') };
  } catch (thrown) {
    throw unreadable(file, thrown, hint);
  }
}

/**
 * @param flag by which the user names the file
 * @throws {ImageCheckerError} `file-unreadable`, `rules-invalid`
 */
export async function readRules(file: string, cwd: string, flag = '--rules'): Promise<Policy> {
  const source = await readSource(file, cwd, `name a rules file with ${flag} FILE`);
  return parsePolicy(source, await readRuleFiles(source, dirname(resolve(cwd, file))));
}
