import { isAbsolute, resolve } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import type { AuthorityFiles } from './authority.ts';
import { DEFAULT_ADMISSION_FOLDER, DEFAULT_SERVICE_FOLDER, layOut } from './layout.ts';
import type { Layout } from './layout.ts';
import { readServerHost } from './server-host.ts';

/** The seed's port for the service. */
export const DEFAULT_PORT = 1234;
export const DEFAULT_ADMIN_PORT = 9090;

/** What to do about files that are there already. */
export type OnExisting = 'refuse' | 'replace' | 'keep';

/** Who signs the certificates; without it, a CA of our own. */
export type Issuer =
  | { readonly kind: 'given'; readonly files: AuthorityFiles }
  /** A CA that is sent signing requests. */
  | { readonly kind: 'elsewhere' };

/** Where the two folders are, as written. */
export interface FolderFlags {
  readonly dir?: string;
  readonly serviceDir?: string;
}

/** A CA of the caller's own, as written. */
export interface AuthorityFlags {
  readonly caCert?: string;
  readonly caKey?: string;
}

/** The options of the command line, as written. */
export interface SetupFlags extends FolderFlags, AuthorityFlags {
  readonly serverHost?: readonly string[];
  readonly port?: string;
  readonly adminPort?: string;
  readonly mountPath?: string;
  readonly force?: boolean;
  readonly ifMissing?: boolean;
  readonly csrOnly?: boolean;
}

export interface SetupOptions {
  readonly layout: Layout;
  /** Validated and normalised, as given; possibly none. */
  readonly serverHosts: readonly string[];
  /** Undefined: not given. */
  readonly port: number | undefined;
  readonly adminPort: number;
  readonly onExisting: OnExisting;
  readonly issuer: Issuer | undefined;
}

/** @throws ImageCheckerError `usage` with everything that is wrong. */
export function readSetupFlags(flags: SetupFlags, cwd: string): SetupOptions {
  const problems: Problem[] = [];
  const hosts = (flags.serverHost ?? []).map(readServerHost);
  problems.push(...hosts.filter((host) => typeof host !== 'string'));
  const port = readPort('--port', flags.port, problems);
  const adminPort = readPort('--admin-port', flags.adminPort, problems) ?? DEFAULT_ADMIN_PORT;
  problems.push(...portClash(port ?? DEFAULT_PORT, adminPort), ...folderNameProblems(flags));
  problems.push(...mountProblems(flags));
  if (flags.force === true && flags.ifMissing === true) {
    problems.push({ message: 'expected one of --force and --if-missing, got both' });
  }
  const given = readAuthorityFlags(flags, cwd, problems);
  problems.push(...csrProblems(flags));
  if (problems.length > 0) throw new ImageCheckerError('usage', problems);
  return {
    layout: layOut(foldersFrom(flags), cwd),
    serverHosts: [...new Set(hosts.filter((host) => typeof host === 'string'))],
    port,
    adminPort,
    onExisting: onExisting(flags),
    issuer: issuerOf(flags, given),
  };
}

function readPort(name: string, text: string | undefined, problems: Problem[]): number | undefined {
  if (text === undefined) return undefined;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65535) return port;
  problems.push({ message: `${name}: expected a port from 1 to 65535, got '${text}'` });
  return undefined;
}

function portClash(port: number, adminPort: number): Problem[] {
  if (port !== adminPort) return [];
  return [{ message: `expected --port and --admin-port to differ, got ${port} twice` }];
}

function folderNameProblems({ dir, serviceDir }: FolderFlags): Problem[] {
  const problems: Problem[] = [];
  if (dir === '') problems.push({ message: '--dir: expected a path, got an empty one' });
  if (serviceDir === '')
    problems.push({ message: '--service-dir: expected a path, got an empty one' });
  return problems;
}

function mountProblems({ mountPath }: SetupFlags): Problem[] {
  const problems: Problem[] = [];
  if (mountPath !== undefined && !isAbsolute(mountPath)) {
    problems.push({
      message: `--mount-path: expected an absolute path, got '${mountPath}'`,
      hint: 'it is where kube-apiserver sees the admission folder inside its container',
    });
  }
  return problems;
}

function foldersFrom({ dir, serviceDir, mountPath }: SetupFlags): Parameters<typeof layOut>[0] {
  return {
    admission: dir ?? DEFAULT_ADMISSION_FOLDER,
    service: serviceDir ?? DEFAULT_SERVICE_FOLDER,
    ...(mountPath === undefined ? {} : { mounted: mountPath }),
  };
}

/**
 * The layout of a command that takes the two folders alone.
 *
 * @throws ImageCheckerError `usage`
 */
export function readFolderFlags(flags: FolderFlags, cwd: string): Layout {
  const problems = folderNameProblems(flags);
  if (problems.length > 0) throw new ImageCheckerError('usage', problems);
  return layOut(foldersFrom(flags), cwd);
}

/** @returns undefined when none is named */
function readAuthorityFlags(
  { caCert, caKey }: AuthorityFlags,
  cwd: string,
  problems: Problem[],
): AuthorityFiles | undefined {
  if (caCert === undefined && caKey === undefined) return undefined;
  if (caCert === undefined || caKey === undefined) {
    const missing = caCert === undefined ? '--ca-cert' : '--ca-key';
    problems.push({ message: `expected --ca-cert and --ca-key together, got no ${missing}` });
  }
  const hint = '--ca-cert and --ca-key name a CA that can sign, unencrypted PEM';
  return { certificate: resolve(cwd, caCert ?? ''), key: resolve(cwd, caKey ?? ''), hint };
}

function csrProblems({ csrOnly, caCert, caKey, force }: SetupFlags): Problem[] {
  if (csrOnly !== true) return [];
  const problems: Problem[] = [];
  if (caCert !== undefined || caKey !== undefined) {
    problems.push({ message: 'expected one of --csr-only and --ca-cert, got both' });
  }
  if (force === true) {
    problems.push({
      message: 'expected one of --csr-only and --force, got both',
      hint: 'new keys would not match the certificates that are there; remove both first',
    });
  }
  return problems;
}

function issuerOf({ csrOnly }: SetupFlags, given: AuthorityFiles | undefined): Issuer | undefined {
  if (given !== undefined) return { kind: 'given', files: given };
  return csrOnly === true ? { kind: 'elsewhere' } : undefined;
}

function onExisting({ force, ifMissing }: SetupFlags): OnExisting {
  if (force === true) return 'replace';
  return ifMissing === true ? 'keep' : 'refuse';
}
