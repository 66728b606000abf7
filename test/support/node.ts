import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from './lab.ts';
import type { Ended } from './lab.ts';

const NODE = join(import.meta.dirname, '../../scripts/lab/node.sh');
/** Nothing that a test runs on a node takes longer, an apiserver that is waited for included. */
const COMMAND_MS = 4 * 60 * 1000;
const ENVIRONMENT = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'KUBECONFIG=/etc/kubernetes/admin.conf',
];

export const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';

/** A program that runs on a node beside the test. */
export interface Running {
  /** What it has written so far. */
  readonly output: () => string;
  readonly ended: Promise<Ended>;
  /** Sent from within the node, to the program itself. */
  kill(signal: 'INT' | 'TERM' | 'KILL' | 'HUP'): Promise<void>;
}

/** A control-plane node of `scripts/lab/node.sh`. */
export interface ControlPlaneNode {
  /** Runs a program on the node to its end, in /root, with what a login would give it. */
  exec(args: readonly string[], input?: string): Promise<Ended>;
  spawn(args: readonly string[]): Running;
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  /** Takes the node away with all that runs on it. */
  end(): Promise<void>;
}

/** @param options.manifest of kube-apiserver, in place of kubeadm's for v1.20 */
export async function startNode(
  options: { readonly manifest?: string; readonly executable?: string } = {},
): Promise<ControlPlaneNode> {
  const { manifest, executable } = options;
  const child = spawn(
    // A test run that is killed takes the node along, and the kernel all that is on it.
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', NODE],
      ...(manifest === undefined ? [] : ['--manifest', manifest]),
      ...(executable === undefined ? [] : ['--executable', executable]),
      ...['sleep', 'infinity'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  await untilReady(child);
  const init = initOf(child.pid ?? 0);
  const root = `/proc/${init}/root`;
  const enter = ['--target', init, '--mount', '--net', '--pid', '--uts', '--ipc', '--root'];
  const within = [...enter, '--wdns=/root', 'env', '-i', ...ENVIRONMENT];
  const exec: ControlPlaneNode['exec'] = (args, input) =>
    run('nsenter', [...within, ...args], { timeout: COMMAND_MS, input });
  let spawned = 0;
  return {
    exec,
    spawn(args) {
      const file = `/run/spawned-${++spawned}.pid`;
      const script = 'echo $$ >"$0"; exec "$@"';
      const running = start([...within, 'sh', '-c', script, file, ...args]);
      return {
        ...running,
        async kill(signal) {
          await exec(['sh', '-c', 'kill -"$0" "$(cat "$1")"', signal, file]);
        },
      };
    },
    read: (path) => readFile(join(root, path), 'utf8'),
    async write(path, text) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('lab: the node is ready\n')) resolve();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      reject(new Error(`node.sh ended with ${code ?? -1} before its node was ready\n${said}`));
    });
  });
}

/** The id, as this process sees it, of the node's first process: the one child of `unshare`. */
function initOf(unshare: number): string {
  const children = readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8');
  const [init, ...others] = children.trim().split(' ');
  if (init === undefined || init === '' || others.length > 0) {
    throw new Error(`expected one child of process ${unshare}, got "${children}"`);
  }
  return init;
}

function start(args: readonly string[]): Omit<Running, 'kill'> {
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (more: string) => (text[name] += more));
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code: code ?? -1, ...text });
    });
  });
  return { output: () => text.stdout + text.stderr, ended };
}
