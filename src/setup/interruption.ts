import process from 'node:process';
import { ImageCheckerError } from '../errors.ts';

/** A terminal's Ctrl-C, a supervisor's stop, a lost connection. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs work that puts everything back when it is interrupted. The signal ends the process
 * afterwards, as it would have at once without this.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received ??= signal;
    const message = `interrupted by ${signal}: everything is as it was`;
    controller.abort(new ImageCheckerError('setup-refused', { message }));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    // Only after the caller has said what happened.
    if (received !== undefined) setImmediate(endBy, received);
  }
}

function endBy(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}
