import { mkdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ImageCheckerError, systemCode } from '../errors.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { replaceFile } from '../files/replace-file.ts';
import { unlessGone } from '../files/write-transaction.ts';
import type { AdmissionRecord } from '../manifest/admission-record.ts';
import type { ManifestRecord } from '../manifest/record.ts';

/** What `enable` did, kept beside the backups for `disable` to undo to the byte. */
export interface EnableRecord {
  readonly version: 1;
  /** The manifest that was edited; the record says nothing about another one. */
  readonly manifest: string;
  readonly edits: ManifestRecord;
  /** The admission configuration that ours was merged into, when one was in use. */
  readonly admission?: { readonly file: string; readonly edits: AdmissionRecord };
}

const list = z.enum(['kept', 'added']);
const written = z.strictObject({ before: z.string(), after: z.string() });
const scalar = z.union([z.string(), z.number(), z.boolean()]);

const manifestSchema = z.strictObject({
  version: z.literal(1),
  flags: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  words: z.array(
    z.strictObject({
      flag: z.string(),
      occurrence: z.int().nonnegative(),
      written: written.exactOptional(),
    }),
  ),
  volume: z.strictObject({ name: z.string(), path: z.string(), list }).exactOptional(),
  mount: z.strictObject({ name: z.string(), mountPath: z.string(), list }).exactOptional(),
});

const admissionSchema = z.strictObject({
  version: z.literal(1),
  entry: z.strictObject({ list }).exactOptional(),
  values: z.array(
    z.strictObject({ key: z.string(), value: scalar, before: z.string().exactOptional() }),
  ),
});

const recordSchema = z.strictObject({
  version: z.literal(1),
  manifest: z.string(),
  edits: manifestSchema,
  admission: z.strictObject({ file: z.string(), edits: admissionSchema }).exactOptional(),
});

const RIGHTS = { mode: 0o600, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

function fileIn(stateFolder: string): string {
  return join(stateFolder, 'enabled.json');
}

/**
 * Undefined when there is none for this manifest.
 *
 * @throws {ImageCheckerError} `file-unreadable`; `manifest-invalid` when it is damaged
 */
export async function readRecord(
  stateFolder: string,
  manifest: string,
): Promise<EnableRecord | undefined> {
  const file = fileIn(stateFolder);
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const record = recordSchema.safeParse(parseJson(text));
  if (!record.success) {
    const message = 'expected the record that enable wrote, got something else';
    const hint = 'move it away: disable then goes by what the manifest shows';
    throw new ImageCheckerError('manifest-invalid', { file, message, hint });
  }
  return record.data.manifest === manifest ? record.data : undefined;
}

/** Writes the record whole, or takes it away. */
export async function writeRecord(
  stateFolder: string,
  record: EnableRecord | undefined,
): Promise<void> {
  const file = fileIn(stateFolder);
  if (record === undefined) {
    await unlessGone(unlink(file));
    return;
  }
  await replaceFile(file, `${JSON.stringify(record, undefined, 2)}\n`, RIGHTS);
}

export async function makeStateFolder(stateFolder: string): Promise<void> {
  try {
    await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    const message = `expected to make it, got ${systemCode(thrown)}`;
    const problem = { file: stateFolder, message, hint: 'run it as root' };
    throw new ImageCheckerError('file-unwritable', problem, { cause: thrown });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readTextFile(file, 'run it as root');
  } catch (thrown) {
    const cause = thrown instanceof ImageCheckerError ? thrown.cause : thrown;
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw thrown;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
