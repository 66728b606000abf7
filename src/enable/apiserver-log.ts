import { execFile } from 'node:child_process';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Bytes of a log's end that are looked at. */
const MAX_TAIL = 256 * 1024;
/** The newest that are looked at: the kubelet keeps two runs of a container. */
const MAX_FILES = 4;
const MAX_LINES = 10;
/** Characters of one line. */
const MAX_LINE = 400;

/**
 * What kube-apiserver's log says since a moment, as far as it tells why it did not start: of all
 * its pods and runs, since the one that failed is not the newest once it is started again; else
 * what crictl shows.
 *
 * @param podLogs where the kubelet keeps logs: `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log`
 */
export async function readApiServerLog(podLogs: string, since: Date): Promise<readonly string[]> {
  const files = await logsSince(podLogs, since);
  if (files.length === 0) return tellingLines((await askCrictl(since)).split('\n'));
  const tails = await Promise.all(files.map(({ path }) => readTail(path)));
  return tellingLines(tails.flatMap((tail) => linesSince(tail, since)));
}

interface LogFile {
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** The newest comes last. */
async function logsSince(podLogs: string, since: Date): Promise<readonly LogFile[]> {
  const pods = (await list(podLogs)).filter((name) =>
    name.startsWith('kube-system_kube-apiserver'),
  );
  const files: LogFile[] = [];
  for (const folder of pods.map((name) => join(podLogs, name, 'kube-apiserver'))) {
    const names = (await list(folder)).filter((name) => name.endsWith('.log'));
    for (const path of names.map((name) => join(folder, name))) {
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || found.mtimeMs < since.getTime()) continue;
      files.push({ path, modified: found.mtimeMs });
    }
  }
  return files.toSorted((a, b) => a.modified - b.modified).slice(-MAX_FILES);
}

function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function readTail(path: string): Promise<string> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - MAX_TAIL);
    const { buffer, bytesRead } = await handle.read({
      buffer: Buffer.alloc(MAX_TAIL),
      position: start,
    });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Milliseconds: a container runtime that hangs is not to keep anybody from rolling back. */
const CRICTL_TIME = 10_000;

async function askCrictl(since: Date): Promise<string> {
  const options = { timeout: CRICTL_TIME, maxBuffer: 16 * MAX_TAIL, encoding: 'utf8' } as const;
  const run = promisify(execFile);
  try {
    const last = await run(
      'crictl',
      ['ps', '-a', '-q', '-l', '--name', '^kube-apiserver$'],
      options,
    );
    const id = last.stdout.trim();
    if (!/^[0-9a-f]+$/.test(id)) return '';
    const from = ['--since', since.toISOString(), '--tail', '200'];
    const { stdout, stderr } = await run('crictl', ['logs', ...from, id], options);
    return stdout + stderr;
  } catch {
    return '';
  }
}

/** What the kubelet's runtimes put before each line. */
const CRI_PREFIX = /^(\S{20,40}) (?:stdout|stderr) [FP] /;

/** Without the lines that say that they are older: the server of before may have written them. */
function linesSince(log: string, since: Date): readonly string[] {
  return log.split('\n').filter((line) => {
    const time = Date.parse(CRI_PREFIX.exec(line)?.[1] ?? '');
    return Number.isNaN(time) || time >= since.getTime();
  });
}

/** klog's errors and fatal ones, cobra's, and Go's panics. */
const TELLING = /^(?:[EF]\d{4} |Error:|error:|panic:)/;

/** The last lines that tell of an error, else the last lines. */
function tellingLines(all: readonly string[]): readonly string[] {
  const lines = all.map((line) => messageOfLine(line.trimEnd())).filter((line) => line !== '');
  const telling = lines.filter((line) => TELLING.test(line));
  const chosen = telling.length > 0 ? telling : lines;
  return chosen.slice(-MAX_LINES).map((line) => line.slice(0, MAX_LINE));
}

/** Docker's json-file, or the format of the CRI, or plain text. */
function messageOfLine(line: string): string {
  if (!line.startsWith('{"log":')) return line.replace(CRI_PREFIX, '');
  try {
    const { log } = JSON.parse(line) as { log?: unknown };
    return typeof log === 'string' ? log.trimEnd() : line;
  } catch {
    return line;
  }
}
