import { setImmediate } from 'node:timers/promises';
import { limited } from '../registry/failure.ts';

/**
 * What is checked takes processor time: other reviews have their turn in between.
 *
 * @throws {ImageCheckerError} `registry-limited` when the deadline is over: whoever may push can put
 *   so much beside an image that no time is left, and the registry has answered
 */
export async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) throw limited('no time is left to look at what lies beside the image');
}
