import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { run } from '../support/lab.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

const MAIN = join(import.meta.dirname, '../../dist/main.js');
const SETUP_MS = 60_000;

/** A line of the service's log. */
export interface LogEntry {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** `node dist/main.js serve`, as a process of its own. */
export interface BuiltService {
  readonly pid: number;
  /** What it has logged so far, oldest first. */
  readonly log: readonly LogEntry[];
  /** Ends it as an operator would, with SIGTERM. Returns its exit code. */
  stop(): Promise<number | null>;
}

/** What `setup` makes for kube-apiserver and for the service. */
export interface Installation {
  readonly admissionFolder: string;
  readonly serviceFolder: string;
  readonly port: number;
  readonly adminPort: number;
}

/** `node dist/main.js setup` into two folders below `folder`. */
export async function setUp(folder: string): Promise<Installation> {
  const admissionFolder = join(folder, 'admission');
  const serviceFolder = join(folder, 'image-checker');
  const port = await freePort();
  const adminPort = await freePort([port]);
  const { code, stderr } = await run(
    process.execPath,
    [
      ...[MAIN, 'setup', '--dir', admissionFolder, '--service-dir', serviceFolder],
      ...['--port', String(port), '--admin-port', String(adminPort)],
    ],
    { timeout: SETUP_MS },
  );
  if (code !== 0) throw new Error(`setup ended with ${code}\n${stderr}`);
  return { admissionFolder, serviceFolder, port, adminPort };
}

/** Starts the service of an installation and waits until it is ready. */
export async function serve({ serviceFolder, adminPort }: Installation): Promise<BuiltService> {
  const config = join(serviceFolder, 'config.yaml');
  // A test run that is killed takes the service along: the kernel sends it SIGTERM then.
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'TERM', process.execPath, MAIN, 'serve', '--config', config],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  // Later than its exit: all that it logged has been read.
  const closed = once(child, 'close');
  const log: LogEntry[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    log.push(JSON.parse(line) as LogEntry);
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await eventually('a service that is ready', async () => {
    if (hasEnded(child)) throw new Error(`serve ended with ${child.exitCode ?? -1}\n${stderr}`);
    return (await isReady(adminPort)) || undefined;
  });
  return {
    pid: child.pid ?? 0,
    log,
    async stop() {
      child.kill('SIGTERM');
      await closed;
      return child.exitCode;
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok;
  } catch {
    return false;
  }
}
