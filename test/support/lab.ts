import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPTS = join(import.meta.dirname, '../../scripts/lab');
/** The scripts bound their own waits; this is for a machine that has stopped. */
const SCRIPT_MS = 5 * 60 * 1000;
/** The plugin itself may wait half a minute for an answer, and then ask again. */
const KUBECTL_MS = 2 * 60 * 1000;

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a test reads of an audit event (audit.k8s.io/v1). */
export interface AuditEvent {
  readonly verb: string;
  readonly stage: string;
  readonly objectRef?: { readonly namespace?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** etcd and a real kube-apiserver on loopback. */
export interface Lab {
  /** Of the cluster admin. */
  readonly kubeconfig: string;
  /** As cluster admin; `input` is for `-f -`. Does not reject when kubectl fails. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<Ended>;
  /** Restarts the kube-apiserver, with an AdmissionConfiguration or without the plugin. */
  restartApiserver(admissionConfig?: string): Promise<void>;
  /** What the kube-apiserver audited so far, oldest first: pods alone. */
  auditEvents(): Promise<readonly AuditEvent[]>;
  /** Ends both and removes their files. */
  stop(): Promise<void>;
}

/** Should this process end without `stop`, the lab goes with it. */
export async function startLab(admissionConfig?: string): Promise<Lab> {
  const bin = await script('install.sh', []);
  const state = await mkdtemp(join(tmpdir(), 'image-checker-lab-'));
  const up = (config: string | undefined): Promise<string> =>
    script('up.sh', [
      ...['--state', state, '--owner', String(process.pid)],
      ...(config === undefined ? [] : ['--admission-config', config]),
    ]);
  const remove = (): Promise<void> => rm(state, { recursive: true, force: true });
  await up(admissionConfig).catch(async (thrown: unknown) => {
    await script('down.sh', ['--state', state]);
    await remove();
    throw thrown;
  });
  const kubeconfig = join(state, 'kubeconfig');
  const always = ['--kubeconfig', kubeconfig, '--cache-dir', join(state, 'cache')];
  return {
    kubeconfig,
    kubectl: (args, input) =>
      run(join(bin, 'kubectl'), [...always, ...args], { timeout: KUBECTL_MS, input }),
    async restartApiserver(config) {
      await up(config);
    },
    auditEvents: async () => parseAuditLog(await readFile(join(state, 'audit.log'), 'utf8')),
    async stop() {
      await script('down.sh', ['--state', state]);
      await remove();
    },
  };
}

/** A line that is still being written has no end yet. */
function parseAuditLog(text: string): AuditEvent[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as AuditEvent);
}

/** Runs one of the lab's scripts, named from `scripts/lab`, and returns its output; throws when it fails. */
export async function script(name: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(join(SCRIPTS, name), args, { timeout: SCRIPT_MS });
  if (code !== 0) throw new Error(`${name} ended with ${code}\n${stderr}`);
  return stdout.trim();
}

export interface RunOptions {
  /** In milliseconds; SIGTERM after it, and a code that is not 0. */
  readonly timeout: number;
  readonly input?: string | undefined;
}

/** Runs a program to its end, without a shell. Rejects only when it cannot be started. */
export function run(file: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  const { timeout, input = '' } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      args,
      { timeout, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        // A string when the program could not be started, no number when a signal ended it.
        const code: unknown = error === null ? 0 : error.code;
        if (typeof code === 'string') reject(new Error(`cannot run ${file}`, { cause: error }));
        else resolve({ code: typeof code === 'number' ? code : -1, stdout, stderr });
      },
    );
    // A program that does not read its input may end before it is written.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
