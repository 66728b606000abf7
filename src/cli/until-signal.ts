import { ImageCheckerError } from '../errors.ts';
import type { CommandContext } from './context.ts';

/** A terminal's Ctrl-C, a supervisor's stop, a lost connection. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs work that puts everything back when it is interrupted; it is waited for, however often the
 * signal comes.
 */
export async function untilSignal<T>(
  context: CommandContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const offs = SIGNALS.map((name) =>
    context.onSignal(name, () => {
      const message = `interrupted by ${name}`;
      if (controller.signal.aborted) {
        context.stderr.write('image-checker: still putting back what was there, please wait\n');
      }
      controller.abort(new ImageCheckerError('enable-failed', { message }));
    }),
  );
  try {
    return await work(controller.signal);
  } finally {
    for (const off of offs) off();
  }
}
