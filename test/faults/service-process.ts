import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Readiness } from '../../src/transport/readiness.ts';
import { eventually } from '../e2e/eventually.ts';
import { freePort } from '../e2e/free-port.ts';
import type { TestPki } from '../support/certificates.ts';
import type { Caller } from '../support/requests.ts';
import { newServiceFolder } from '../support/service.ts';
import type { ServiceFolder } from '../support/service.ts';

const MAIN = join(import.meta.dirname, '../../dist/main.js');

/** A line of the log. */
export interface Line {
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Place extends ServiceFolder {
  readonly port: number;
  readonly adminPort: number;
  /** kube-apiserver, with the right certificate. */
  readonly caller: Caller;
}

/** A folder with all that a service needs, and ports of its own that stay over restarts. */
export async function newPlace(pki: TestPki, changes: object = {}): Promise<Place> {
  const folder = await newServiceFolder(pki);
  const port = await freePort();
  const adminPort = await freePort([port]);
  const { apiVersion, kind, tls, rules } = folder.config;
  const host = '127.0.0.1';
  const listeners = { listen: { host, port }, admin: { host, port: adminPort } };
  const config = { apiVersion, kind, tls, rules, ...listeners, ...changes };
  await writeFile(folder.configFile, JSON.stringify(config));
  const caller = { port, ca: pki.authority.certificate, credential: pki.client };
  return { ...folder, port, adminPort, caller };
}

export interface ProcessOptions {
  /** Programs that start the service in some state: each has to become the next by `exec`. */
  readonly under?: readonly string[];
  /** Options of node. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** `node dist/main.js serve`, as a process of its own. */
export interface ServiceProcess {
  readonly pid: number;
  /** What it has logged so far, oldest first. */
  readonly log: readonly Line[];
  readonly stderr: () => string;
  logged(message: string): readonly Line[];
  kill(signal: NodeJS.Signals): void;
  /** How it ended, once it has: the exit code, or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** SIGTERM, and then its exit code; it may have ended before. */
  stop(): Promise<number | NodeJS.Signals>;
}

/** Starts the service and does not wait for anything. */
export function launch(place: Place, options: ProcessOptions = {}): ServiceProcess {
  const { under = [], node = [], env = {} } = options;
  const words = [...under, process.execPath, ...node, MAIN, 'serve', '--config', place.configFile];
  // A test run that is killed takes the service along.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...words], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = linesOf(child.stdout);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(() => child.exitCode ?? child.signalCode ?? 'SIGKILL');
  return {
    pid: child.pid ?? -1,
    log,
    stderr: () => stderr,
    logged: (message) => log.filter((line) => line.message === message),
    kill: (signal) => void child.kill(signal),
    ended,
    stop() {
      if (!hasEnded(child)) child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Starts the service and waits until it is ready. */
export async function start(place: Place, options?: ProcessOptions): Promise<ServiceProcess> {
  const service = launch(place, options);
  let end: number | string | undefined;
  void service.ended.then((how) => (end = how));
  await eventually('a service that is ready', async () => {
    if (end !== undefined) throw new Error(`serve ended: ${end}\n${service.stderr()}`);
    return (await readinessAt(place))?.ready === true || undefined;
  });
  return service;
}

function linesOf(stream: Readable): Line[] {
  const lines: Line[] = [];
  createInterface({ input: stream }).on('line', (line) => {
    lines.push(JSON.parse(line) as Line);
  });
  return lines;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** What /readyz says; undefined when nobody answers. */
export async function readinessAt({
  adminPort,
}: Pick<Place, 'adminPort'>): Promise<Readiness | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    return (await answer.json()) as Readiness;
  } catch {
    return undefined;
  }
}

/** Waits until /readyz names a reload that failed for such a reason. */
export function failedReload(place: Place, what: string, why: string | RegExp): Promise<unknown> {
  return eventually(`a failed reload of the ${what} (${String(why)})`, async () => {
    const failed = (await readinessAt(place))?.failedReloads ?? [];
    const found = failed.find((each) => each.what === what);
    return found?.problems.some((problem) => problem.search(why) >= 0) === true || undefined;
  });
}

/** Waits until no reload has failed any more. */
export function allReloaded(place: Place): Promise<unknown> {
  return eventually('reloads without a failure', async () => {
    return (await readinessAt(place))?.failedReloads.length === 0 || undefined;
  });
}
