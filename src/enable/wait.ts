import type { Health } from '../kube/health.ts';

/** What waiting needs of the world. */
export interface WaitPorts {
  /** Looks once. @throws the signal's reason */
  readonly look: (signal: AbortSignal) => Promise<Health>;
  /** In milliseconds. */
  readonly now: () => number;
  /** @throws the signal's reason */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly report: (progress: WaitProgress) => void;
}

/** How far it is; `done` is what was waited for. */
export type Stage = 'not-restarted' | 'down' | 'unready' | 'settling' | 'done';

export interface WaitProgress {
  readonly stage: Stage;
  /** Milliseconds. */
  readonly elapsed: number;
  readonly timeout: number;
}

export interface Waited {
  /** Anything but `done`: where it was when the time was over. */
  readonly stage: Stage;
  readonly last: Health;
}

/** Takes what each look shows, in order, with the time since the begin in milliseconds. */
export type Criterion = (last: Health, elapsed: number) => Stage;

/** Milliseconds between two looks. */
const INTERVAL = 1000;

/** Looks again and again until the criterion is met or the time is over. */
export async function waitFor(
  criterion: Criterion,
  timeout: number,
  ports: WaitPorts,
  signal: AbortSignal,
): Promise<Waited> {
  const begin = ports.now();
  for (;;) {
    const last = await ports.look(signal);
    const elapsed = ports.now() - begin;
    const stage = criterion(last, elapsed);
    ports.report({ stage, elapsed, timeout });
    if (stage === 'done' || elapsed >= timeout) return { stage, last };
    await ports.sleep(INTERVAL, signal);
  }
}

/** Looks in a row that find it ready: one may have met a server that is about to end. */
const IN_A_ROW = 2;

/**
 * Another process of kube-apiserver is ready.
 *
 * What tells it from the one of before is the start of the process, from its metrics: the server
 * may be away for less time than there is between two looks, and one that answers may be one that
 * the kubelet has not touched. Where the metrics are not to be had, having been down counts.
 */
export function anotherIsReady(old: Health): Criterion {
  let wasDown = old.state === 'down';
  let inARow = 0;
  return (last) => {
    wasDown ||= last.state === 'down';
    if (last.state !== 'ready') {
      inARow = 0;
      return last.state;
    }
    if (!isAnother(old, last, wasDown)) return 'not-restarted';
    inARow += 1;
    return inARow >= IN_A_ROW ? 'done' : 'settling';
  };
}

/**
 * Milliseconds: the kubelet looks at its manifests that often where it is not told of a change, so
 * whoever is ready for longer is not about to be replaced.
 */
const QUIET = 20_000;

/**
 * One and the same process has been ready for a while, whichever it is: for a manifest that was put
 * back before the kubelet was seen to act on either.
 */
export function oneStaysReady(): Criterion {
  let since: { readonly last: Health; readonly elapsed: number } | undefined;
  return (last, elapsed) => {
    if (last.state !== 'ready') {
      since = undefined;
      return last.state;
    }
    if (since === undefined || isAnother(since.last, last, false)) since = { last, elapsed };
    return elapsed - since.elapsed >= QUIET ? 'done' : 'settling';
  };
}

/** Seconds by which the start of one process may seem to move, as the clock is set. */
const CLOCK_ERROR = 2;

function isAnother(old: Health, last: Health, wasDown: boolean): boolean {
  if (old.startTime === undefined || last.startTime === undefined) return wasDown;
  return last.startTime > old.startTime + CLOCK_ERROR;
}
