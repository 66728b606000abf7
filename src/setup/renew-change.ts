import { dirname } from 'node:path';
import { messageOf } from '../errors.ts';
import type { Problem } from '../errors.ts';
import type { FileToWrite, WritePlan } from '../files/write-plan.ts';
import { planBackup } from './backup.ts';
import type { Backup } from './backup.ts';
import type { ExistingFile } from './inventory.ts';
import { FORBIDDEN_KEY_MODE } from './key-pairs.ts';
import { ALL_TARGETS, foldersOf, pathOf, TARGETS } from './layout.ts';
import type { Layout, Target } from './layout.ts';
import { lookFor } from './renew-files.ts';
import type { Installation } from './renew-files.ts';
import { writePlan } from './setup.ts';
import type { SetupPorts } from './setup.ts';

export type RenewStep = 'leaves' | 'trust-both' | 'change-over' | 'forget-old';

/** What one call is to do. */
export interface Change {
  readonly step: RenewStep;
  readonly contents: ReadonlyMap<Target, string>;
  /** Written before the rest. */
  readonly files: readonly { path: string; mode: number; content: string }[];
  /** Absolute; when all else is in place. */
  readonly remove: readonly string[];
}

export interface RenewResult {
  readonly layout: Layout;
  readonly step: RenewStep;
  readonly made: readonly FileToWrite[];
  /** The folder with the copies of what was replaced. */
  readonly backup: string | undefined;
  readonly warnings: readonly Problem[];
}

/**
 * A certificate and its key are two files and two renames. Whoever reads between the two gets a
 * pair that does not match:
 * - The service reads after its files have been still for a moment, and keeps the pair in force
 *   until it finds one that matches.
 * - kube-apiserver (client-go) reads the certificate, then the key, whenever it opens a connection
 *   (once a second at most); a pair that does not match fails the connections of that second. So
 *   the certificate goes first and the key right behind it: what is read in the order in which it is
 *   written goes wrong only where the two gaps differ, by some 100 microseconds. Behind the key, it
 *   would be the sum of both. Connections that are open are not touched, and the service asks for
 *   new ones only a second later.
 */
const ORDER: readonly Target[] = [
  'caKey',
  'caCertificate',
  'serverCertificate',
  'serverKey',
  'clientCertificate',
  'clientKey',
  'clientCa',
  'externalCa',
];

/** Makes the change, whole or not at all, and keeps a copy of what it replaces. */
export async function makeChange(
  installation: Installation,
  change: Change,
  ports: SetupPorts,
): Promise<RenewResult> {
  const { layout } = installation;
  const backup = await planCopies(installation, change, ports.now());
  const made = [...(await newFiles(change)), ...replacements(installation, change)];
  const litter = await writePlan(planOf(layout, backup, made), ports);
  const left = await removeAll(change.remove, ports);
  const warnings = [...litter, ...left];
  return { layout, step: change.step, made, backup: backup?.folder, warnings };
}

async function planCopies(
  { inventory, layout }: Installation,
  { contents, remove }: Change,
  now: Date,
): Promise<Backup | undefined> {
  const replaced = ALL_TARGETS.flatMap((target): ExistingFile[] => {
    const existing = inventory.get(target);
    const goes = contents.has(target) || remove.includes(pathOf(layout, target));
    return existing !== undefined && goes ? [existing] : [];
  });
  return replaced.length === 0 ? undefined : planBackup(replaced, layout, now);
}

async function newFiles({ files }: Change): Promise<FileToWrite[]> {
  return Promise.all(
    files.map(async (file) => {
      const replaces = await lookFor(file.path);
      return replaces === undefined ? file : { ...file, replaces };
    }),
  );
}

/** Owner and mode stay: the service may run as another user, or read its key by a group. */
function replacements({ inventory, layout }: Installation, { contents }: Change): FileToWrite[] {
  return ORDER.flatMap((target): FileToWrite[] => {
    const content = contents.get(target);
    const replaces = inventory.get(target);
    if (content === undefined) return [];
    const file = { path: pathOf(layout, target), content, mode: modeOf(target, replaces) };
    return [replaces === undefined ? file : { ...file, replaces }];
  });
}

function modeOf(target: Target, existing: ExistingFile | undefined): number {
  const { mode } = TARGETS[target];
  if (existing === undefined) return mode;
  const isSecret = (mode & FORBIDDEN_KEY_MODE) === 0;
  return isSecret && (existing.mode & FORBIDDEN_KEY_MODE) !== 0 ? mode : existing.mode;
}

function planOf(
  layout: Layout,
  backup: Backup | undefined,
  made: readonly FileToWrite[],
): WritePlan {
  const parents = new Set(made.map(({ path }) => dirname(path)));
  const needed = foldersOf(layout).filter(({ path }) => parents.has(path));
  return {
    folders: [...needed, ...(backup?.folders ?? [])],
    files: [...(backup?.files ?? []), ...made],
  };
}

async function removeAll(paths: readonly string[], { fs }: SetupPorts): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const path of paths) {
    if ((await lookFor(path)) === undefined) continue;
    try {
      await fs.unlink(path);
    } catch (thrown) {
      problems.push({ file: path, message: `expected to remove it, got ${messageOf(thrown)}` });
    }
  }
  return problems;
}
