import type { FailedReload, Readiness } from '../transport/readiness.ts';

/** What is known of a worker. */
export interface WorkerState {
  readonly number: number;
  /** How often it had to be replaced before this life, without a long one in between. */
  losses: number;
  startedAt: number;
  /** When it last said how it is; milliseconds, as all times here. */
  heardAt: number;
  /** As it last said; undefined while there is no such process. */
  readiness: Readiness | undefined;
}

/** How often a worker says how it is. */
export const REPORT_MS = 500;
/** Several reports that did not come: its event loop stands still. */
const SILENT_MS = 3000;
/** So many losses in a row are no accident. */
const LOOP = 3;
/** One that ran for so long is good; what ended it then is no loop. */
export const STABLE_MS = 60_000;

/**
 * The readiness of a service by that of its workers. One that is just being replaced is none of
 * the caller's business: no connection goes to it.
 */
export function combineReadiness(
  workers: readonly WorkerState[],
  now: number,
  stopping: boolean,
): Readiness {
  const known = workers.flatMap(({ readiness }) => (readiness === undefined ? [] : [readiness]));
  const reasons = [
    ...(stopping ? ['the service is stopping'] : []),
    ...(known.length === 0 ? ['no worker is serving'] : []),
    ...workers.flatMap((worker) => reasonsOf(worker, now)),
  ];
  return {
    ready: reasons.length === 0,
    reasons,
    policy: known[0]?.policy,
    failedReloads: unique(known.flatMap(({ failedReloads }) => failedReloads)),
  };
}

function reasonsOf(worker: WorkerState, now: number): string[] {
  const { number, losses, startedAt, heardAt, readiness } = worker;
  const name = `worker ${number}`;
  const isLoop = losses >= LOOP && now - startedAt < STABLE_MS;
  const loop = isLoop ? [`${name} has ended ${losses} times in a row, see the log`] : [];
  if (readiness === undefined) return loop;
  if (now - heardAt > SILENT_MS) return [...loop, `${name} does not answer`];
  return [...loop, ...readiness.reasons.map((reason) => `${name}: ${reason}`)];
}

/** Every worker meets the same mistake. */
function unique(failures: readonly FailedReload[]): readonly FailedReload[] {
  return [
    ...new Map(failures.map((each) => [each.what + each.problems.join('\n'), each])).values(),
  ];
}
