import { ImageCheckerError, messageOf } from '../errors.ts';
import type { KubeConnection } from './connection.ts';
import { askKube, consume } from './request.ts';

/** What a look at a kube-apiserver shows. */
export interface Health {
  /** `down`: nobody answers; `unready`: somebody answers that it is not ready. */
  readonly state: 'down' | 'unready' | 'ready';
  /**
   * When the process began, in seconds since 1970, by which one process is told from the next;
   * undefined when it is not known (`/metrics` may be forbidden).
   */
  readonly startTime: number | undefined;
  /** What was said instead of `ok`. */
  readonly detail: string;
}

/** Milliseconds: a server that is starting takes connections before it answers them. */
const TIME_LIMIT = 5000;

/** Looks once. @throws the signal's reason, and nothing else */
export async function lookAt(connection: KubeConnection, signal: AbortSignal): Promise<Health> {
  try {
    const path = '/readyz?verbose';
    const answer = await askKube(connection, { path, timeLimit: TIME_LIMIT, signal });
    if (answer.status !== 200) return unready(failedChecks(answer.status, answer.body));
    return { state: 'ready', startTime: await readStartTime(connection, signal), detail: '' };
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    return { state: 'down', startTime: undefined, detail: messageOf(thrown) };
  }
}

function unready(detail: string): Health {
  return { state: 'unready', startTime: undefined, detail };
}

/** Of `/readyz?verbose`, the checks that fail: `[-]etcd failed: reason withheld`. */
function failedChecks(status: number, body: string): string {
  const failed = body.split('\n').filter((line) => line.startsWith('[-]'));
  if (failed.length === 0) return `/readyz says ${status}`;
  return failed.map((line) => line.slice('[-]'.length).slice(0, 120)).join(', ');
}

const METRIC = /^process_start_time_seconds ([0-9.e+]{1,32})$/m;
/** Bytes: a large cluster has some 20 MB of metrics. */
const MAX_METRICS = 128 * 1024 * 1024;
/** Characters of a chunk's end that may be the beginning of our line. */
const OVERLAP = 128;

/** Reads no further than to the one line; undefined when it is not to be had. */
async function readStartTime(
  connection: KubeConnection,
  signal: AbortSignal,
): Promise<number | undefined> {
  const question = { path: '/metrics', timeLimit: 2 * TIME_LIMIT, signal };
  return consume(connection, question, async (response) => {
    if (response.statusCode !== 200) return undefined;
    let tail = '\n';
    let length = 0;
    for await (const chunk of response) {
      const text = tail + (chunk as Buffer).toString('latin1');
      // The last line may not be whole yet.
      const found = METRIC.exec(text.slice(0, text.lastIndexOf('\n') + 1));
      if (found !== null) return Number(found[1]);
      length += (chunk as Buffer).length;
      if (length > MAX_METRICS) return undefined;
      tail = text.slice(-OVERLAP);
    }
    return undefined;
  });
}
