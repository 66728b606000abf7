import type { X509Certificate } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageCheckerError, systemCode } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { systemMessage } from '../files/read-text-file.ts';
import { takeInventory } from './inventory.ts';
import type { ExistingFile, Inventory } from './inventory.ts';
import { pathOf } from './layout.ts';
import type { Layout, Target } from './layout.ts';
import { certificatesIn } from './pem.ts';

/** What is there beside the CA only while one CA takes the place of another. */
export interface RotationFiles {
  readonly nextKey: string;
  readonly nextCertificate: string;
  readonly previousCertificate: string;
}

export function rotationFiles({ pki }: Layout): RotationFiles {
  return {
    nextKey: join(pki, 'next-ca-key.pem'),
    nextCertificate: join(pki, 'next-ca-cert.pem'),
    previousCertificate: join(pki, 'previous-ca-cert.pem'),
  };
}

/** What both sides hold. */
export interface Installation {
  readonly layout: Layout;
  readonly inventory: Inventory;
  readonly server: X509Certificate;
  readonly client: X509Certificate;
  /** What the service verifies clients with. */
  readonly clientCa: readonly X509Certificate[];
  /** What kube-apiserver verifies the service with. */
  readonly externalCa: readonly X509Certificate[];
}

const NEEDED = [
  'serverCertificate',
  'serverKey',
  'clientCertificate',
  'clientKey',
  'clientCa',
  'externalCa',
] as const satisfies readonly Target[];

/** @throws ImageCheckerError `setup-refused` when something is missing, `file-unreadable` */
export async function readInstallation(layout: Layout): Promise<Installation> {
  const inventory = await takeInventory(layout);
  const problems = NEEDED.flatMap((target) => neededProblem(inventory.get(target), target, layout));
  if (problems.length > 0) throw new ImageCheckerError('setup-refused', hintLast(problems));
  const [server, client] = await Promise.all([
    readCertificates(pathOf(layout, 'serverCertificate')),
    readCertificates(pathOf(layout, 'clientCertificate')),
  ]);
  return {
    layout,
    inventory,
    server: server[0],
    client: client[0],
    clientCa: await readCertificates(pathOf(layout, 'clientCa')),
    externalCa: await readCertificates(pathOf(layout, 'externalCa')),
  };
}

function neededProblem(
  existing: ExistingFile | undefined,
  target: Target,
  layout: Layout,
): Problem[] {
  if (existing?.presence === 'file') return [];
  const file = pathOf(layout, target);
  if (existing === undefined) {
    return [{ file, message: 'expected a file, got nothing' }];
  }
  const got = existing.presence === 'link' ? 'a symbolic link' : 'something that is no file';
  return [
    { file, message: `expected a file, got ${got}`, hint: 'what has put it there renews it' },
  ];
}

/** One hint for them all, where none has its own. */
function hintLast(problems: readonly Problem[]): Problem[] {
  const hint =
    '--dir and --service-dir name the folders; `image-checker setup --if-missing` fills them';
  return problems.map((problem, index) =>
    index === problems.length - 1 ? { hint, ...problem } : problem,
  );
}

type Some<T> = readonly [T, ...T[]];

async function readCertificates(file: string): Promise<Some<X509Certificate>> {
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    const message = `cannot be read: ${systemMessage(thrown)}`;
    throw new ImageCheckerError('file-unreadable', { file, message }, { cause: thrown });
  });
  const [first, ...rest] = parse(text);
  if (first !== undefined) return [first, ...rest];
  throw new ImageCheckerError('setup-refused', {
    file,
    message: 'expected PEM certificates, got none',
  });
}

function parse(text: string): X509Certificate[] {
  try {
    return certificatesIn(text);
  } catch {
    return [];
  }
}

/** @returns undefined when the file is not there */
export async function readCertificatesIfThere(
  file: string,
): Promise<Some<X509Certificate> | undefined> {
  return (await lookFor(file)) === undefined ? undefined : readCertificates(file);
}

/** Owner, mode and time of a file of ours. */
export async function lookFor(
  path: string,
): Promise<{ uid: number; gid: number; mtimeMs: number } | undefined> {
  try {
    return await lstat(path);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    const message = `cannot be read: ${systemMessage(thrown)}`;
    throw new ImageCheckerError('file-unreadable', { file: path, message }, { cause: thrown });
  }
}
