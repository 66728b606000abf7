import { setImmediate } from 'node:timers/promises';
import { ImageCheckerError } from '../errors.ts';

/**
 * What is checked takes processor time: other reviews have their turn in between.
 *
 * @throws {ImageCheckerError} `registry-unavailable` when the deadline is over
 */
export async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (!signal.aborted) return;
  const message = 'no time is left to look at what lies beside the image';
  throw new ImageCheckerError('registry-unavailable', { message });
}
