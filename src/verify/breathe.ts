import { setImmediate } from 'node:timers/promises';
import { unavailable } from '../registry/failure.ts';

/**
 * What is checked takes processor time: other reviews have their turn in between.
 *
 * @throws {ImageCheckerError} `registry-unavailable` when the deadline is over
 */
export async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) throw unavailable('no time is left to look at what lies beside the image');
}
