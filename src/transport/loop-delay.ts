import { monitorEventLoopDelay } from 'node:perf_hooks';

/** A review waits at least as long as the event loop; beyond this the service is of no use. */
const MAX_DELAY_MS = 500;
/** One pause (a collection of garbage, a large review) is no trouble: half of all turns is. */
const WINDOW_MS = 2000;
const RESOLUTION_MS = 20;

/** Watches how late the event loop is. */
export interface LoopDelay {
  /** Milliseconds that half of the turns of the last window were late, if that is too much. */
  readonly tooLate: () => number | undefined;
  readonly stop: () => void;
}

export function watchLoopDelay(): LoopDelay {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let median = 0;
  const timer = setInterval(() => {
    median = delays.count > 0 ? delays.percentile(50) / 1e6 : 0;
    delays.reset();
  }, WINDOW_MS).unref();
  return {
    tooLate: () => (median > MAX_DELAY_MS ? Math.round(median) : undefined),
    stop() {
      clearInterval(timer);
      delays.disable();
    },
  };
}
