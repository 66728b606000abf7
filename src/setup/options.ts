import { isAbsolute } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { DEFAULT_ADMISSION_FOLDER, DEFAULT_SERVICE_FOLDER, layOut } from './layout.ts';
import type { Layout } from './layout.ts';
import { readServerHost } from './server-host.ts';

/** The seed's port for the service. */
export const DEFAULT_PORT = 1234;
export const DEFAULT_ADMIN_PORT = 9090;

/** What to do about files that are there already. */
export type OnExisting = 'refuse' | 'replace' | 'keep';

/** The options of the command line, as written. */
export interface SetupFlags {
  readonly dir?: string;
  readonly serviceDir?: string;
  readonly serverHost?: readonly string[];
  readonly port?: string;
  readonly adminPort?: string;
  readonly mountPath?: string;
  readonly force?: boolean;
  readonly ifMissing?: boolean;
}

export interface SetupOptions {
  readonly layout: Layout;
  /** Validated and normalised, as given; possibly none. */
  readonly serverHosts: readonly string[];
  /** Undefined: not given. */
  readonly port: number | undefined;
  readonly adminPort: number;
  readonly onExisting: OnExisting;
}

/** @throws ImageCheckerError `usage` with everything that is wrong. */
export function readSetupFlags(flags: SetupFlags, cwd: string): SetupOptions {
  const problems: Problem[] = [];
  const hosts = (flags.serverHost ?? []).map(readServerHost);
  problems.push(...hosts.filter((host) => typeof host !== 'string'));
  const port = readPort('--port', flags.port, problems);
  const adminPort = readPort('--admin-port', flags.adminPort, problems) ?? DEFAULT_ADMIN_PORT;
  problems.push(...portClash(port ?? DEFAULT_PORT, adminPort), ...folderProblems(flags));
  if (flags.force === true && flags.ifMissing === true) {
    problems.push({ message: 'expected one of --force and --if-missing, got both' });
  }
  if (problems.length > 0) throw new ImageCheckerError('usage', problems);
  return {
    layout: layOut(foldersFrom(flags), cwd),
    serverHosts: [...new Set(hosts.filter((host) => typeof host === 'string'))],
    port,
    adminPort,
    onExisting: onExisting(flags),
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

function folderProblems({ dir, serviceDir, mountPath }: SetupFlags): Problem[] {
  const problems: Problem[] = [];
  if (dir === '') problems.push({ message: '--dir: expected a path, got an empty one' });
  if (serviceDir === '')
    problems.push({ message: '--service-dir: expected a path, got an empty one' });
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

function onExisting({ force, ifMissing }: SetupFlags): OnExisting {
  if (force === true) return 'replace';
  return ifMissing === true ? 'keep' : 'refuse';
}
