import { dirname } from 'node:path';
import { ImageCheckerError, systemCode } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { writeAllOrNothing } from '../files/write-all-or-nothing.ts';
import type { FileToWrite, WritePlan } from '../files/write-plan.ts';
import { findTemporaryFiles } from '../files/write-temporary.ts';
import type { WriteFileSystem } from '../files/write-transaction.ts';
import { planBackup } from './backup.ts';
import type { Backup } from './backup.ts';
import { findContradictions } from './contradictions.ts';
import { makeMissingCredentials } from './credentials.ts';
import type { CredentialRequest } from './credentials.ts';
import { portOf, renderDocuments } from './documents.ts';
import { readExisting, takeInventory } from './inventory.ts';
import type { Inventory } from './inventory.ts';
import { ALL_TARGETS, foldersOf, pathOf, TARGETS } from './layout.ts';
import type { Target } from './layout.ts';
import { DEFAULT_PORT } from './options.ts';
import type { SetupOptions } from './options.ts';
import type { PkiPorts } from './pki.ts';
import { refuseExisting, refuseOverlap } from './refusals.ts';
import { makeSigningRequests } from './signing-requests.ts';
import type { SigningRequests } from './signing-requests.ts';

export interface SetupPorts extends PkiPorts {
  readonly fs: WriteFileSystem;
  /** Fires: everything is put back, and the signal's reason is thrown. */
  readonly signal: AbortSignal;
}

export interface MadeFile {
  /** Absent for what is made for once, such as a signing request. */
  readonly target?: Target;
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

export interface SetupResult {
  readonly options: SetupOptions;
  /** Where kube-apiserver finds the service. */
  readonly host: string;
  readonly port: number;
  readonly made: readonly MadeFile[];
  /** The folder with the copies of what was replaced. */
  readonly backup: string | undefined;
  /** What is not as it might be expected, though nothing failed. */
  readonly warnings: readonly Problem[];
}

/** Without --server-host the service runs beside the apiserver, which is on the host's network. */
const DEFAULT_HOST = '127.0.0.1';

/**
 * Makes what kube-apiserver and the service need to trust each other and to start.
 *
 * @throws ImageCheckerError `setup-refused`, `file-unreadable`, `file-unwritable`; the signal's
 *   reason. Nothing is changed then.
 */
export async function setup(options: SetupOptions, ports: SetupPorts): Promise<SetupResult> {
  return hintingAtAccess(async () => {
    await refuseOverlap(options.layout);
    const inventory = await takeInventory(options.layout);
    refuseExisting(inventory, options.onExisting);
    refuseForeignKey(options, inventory);
    const address = await addressOf(options, inventory);
    const made = await makeFiles(options, inventory, { address, ports });
    const backup = await backUp(options, inventory, ports.now());
    const warnings = await findContradictions(options, inventory);
    const litter = await writePlan(planOf(options, { made, inventory, backup }), ports);
    return {
      options,
      ...address,
      made,
      backup: backup?.folder,
      warnings: [...warnings, ...litter],
    };
  });
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** A config file that stays decides on the port, unless the caller does. */
async function addressOf(options: SetupOptions, inventory: Inventory): Promise<Address> {
  const host = options.serverHosts[0] ?? DEFAULT_HOST;
  if (options.port !== undefined) return { host, port: options.port };
  const config = options.onExisting === 'keep' ? inventory.get('serviceConfig') : undefined;
  const text = config === undefined ? '' : (await readExisting(config.path)).toString();
  return { host, port: portOf(text) ?? DEFAULT_PORT };
}

/** Everything that is to be written, in memory. */
async function makeFiles(
  options: SetupOptions,
  inventory: Inventory,
  { address, ports }: { readonly address: Address; readonly ports: SetupPorts },
): Promise<MadeFile[]> {
  const { layout, serverHosts, adminPort } = options;
  const present = new Set(options.onExisting === 'keep' ? inventory.keys() : []);
  const contents = renderDocuments({ mounted: layout.mounted, ...address, adminPort });
  const wanted = { layout, present, serverHosts };
  const { keysAndCertificates, requests } = await makeCredentials(wanted, options, ports);
  for (const [target, pem] of keysAndCertificates) contents.set(target, pem);
  const files = ALL_TARGETS.flatMap((target): MadeFile[] => {
    const content = contents.get(target);
    if (content === undefined || present.has(target)) return [];
    return [{ target, path: pathOf(layout, target), mode: TARGETS[target].mode, content }];
  });
  return [...files, ...requests];
}

async function makeCredentials(
  wanted: CredentialRequest,
  { issuer }: SetupOptions,
  ports: SetupPorts,
): Promise<SigningRequests> {
  if (issuer?.kind === 'elsewhere') return makeSigningRequests(wanted, ports);
  const keysAndCertificates = await makeMissingCredentials(
    { ...wanted, given: issuer?.files },
    ports,
  );
  return { keysAndCertificates, requests: [] };
}

/** The key of a CA that is left behind would belong to no certificate. */
function refuseForeignKey({ onExisting, issuer }: SetupOptions, inventory: Inventory): void {
  const key = inventory.get('caKey');
  if (key === undefined || issuer?.kind !== 'given' || onExisting !== 'replace') return;
  const message = 'expected no key of another CA beside the CA of --ca-cert, got one';
  const hint = 'move it out of the way';
  throw new ImageCheckerError('setup-refused', { file: key.path, message, hint });
}

async function backUp(
  { onExisting, layout }: SetupOptions,
  inventory: Inventory,
  now: Date,
): Promise<Backup | undefined> {
  if (onExisting !== 'replace' || inventory.size === 0) return undefined;
  return planBackup([...inventory.values()], layout, now);
}

function planOf(
  { layout }: SetupOptions,
  {
    made,
    inventory,
    backup,
  }: {
    readonly made: readonly MadeFile[];
    readonly inventory: Inventory;
    readonly backup: Backup | undefined;
  },
): WritePlan {
  const files = made.map(({ target, path, mode, content }): FileToWrite => {
    const replaces = target === undefined ? undefined : inventory.get(target);
    return { path, mode, content, ...(replaces === undefined ? {} : { replaces }) };
  });
  const needed = foldersOf(layout).filter((folder) => holds(folder.path, files));
  return {
    folders: [...needed, ...(backup?.folders ?? [])],
    files: [...(backup?.files ?? []), ...files],
  };
}

function holds(folder: string, files: readonly FileToWrite[]): boolean {
  return files.some(({ path }) => dirname(path) === folder);
}

/** @returns what lies about, of this run or of one that was killed. */
export async function writePlan(plan: WritePlan, ports: SetupPorts): Promise<readonly Problem[]> {
  if (plan.files.length === 0) return [];
  const litter = await findTemporaryFiles(plan.folders.map(({ path }) => path));
  const token = Buffer.from(ports.randomBytes(8)).toString('hex');
  const left = await writeAllOrNothing(plan, { ...ports, token });
  const message = 'left behind by a run that was killed: it may be removed';
  return [...litter.map((file) => ({ file, message })), ...left];
}

/** Says who may write there, where somebody may not. */
export async function hintingAtAccess<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    if (!['EACCES', 'EPERM', 'EROFS'].includes(systemCode(thrown.cause))) throw thrown;
    const hint = 'run it as root, or choose folders of your own with --dir and --service-dir';
    const problems = thrown.problems.map((problem) => ({ hint, ...problem }));
    throw new ImageCheckerError(thrown.code, problems, { cause: thrown.cause });
  }
}
