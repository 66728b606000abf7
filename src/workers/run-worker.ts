import process from 'node:process';
import type { Writable } from 'node:stream';
import type { Config } from '../config/schema.ts';
import { messageOf } from '../errors.ts';
import { withFields } from '../record/logger.ts';
import type { StreamLog } from '../record/logger.ts';
import { createProcessRegistry } from '../record/metrics.ts';
import { loadParts, startReviews } from '../reviews.ts';
import type { Reviews } from '../reviews.ts';
import { REPORT_MS } from './combine-readiness.ts';
import { isToWorker } from './messages.ts';
import type { FromWorker } from './messages.ts';

export interface WorkerDeps {
  readonly log: StreamLog;
  /** What `log` writes to. */
  readonly output: Writable;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Resolves when this process is to stop, whatever the primary process says. */
  readonly stopSignal: Promise<unknown>;
}

/**
 * Answers reviews in a worker, until it is told to stop.
 *
 * @throws {ImageCheckerError} with all problems of certificates and rules
 */
export async function runWorker(config: Config, deps: WorkerDeps): Promise<void> {
  const { clock, output, stopSignal } = deps;
  const log = withFields(deps.log, { worker: process.pid });
  const registry = createProcessRegistry(deps.log);
  const starting = loadParts(config, clock()).then((parts) =>
    startReviews(config, parts, { log, clock, registry }),
  );
  const reviews = await starting.catch((thrown: unknown) => {
    // The channel keeps a process that has nothing to do.
    process.channel?.unref();
    throw thrown;
  });
  const report = (): void => {
    tell({ imageChecker: 'state', readiness: reviews.readiness(), lost: log.lost() });
  };
  const tellMetrics = (): void => {
    registry.getMetricsAsJSON().then(
      (reading) => {
        tell({ imageChecker: 'metrics', reading });
      },
      (thrown: unknown) => {
        log.error('the metrics of a worker cannot be read', { error: messageOf(thrown) });
      },
    );
  };
  const told = listenToPrimary(reviews, { report, tellMetrics });
  report();
  tell({ imageChecker: 'serving', port: reviews.port });
  const timer = setInterval(report, REPORT_MS);
  await Promise.race([stopSignal, told]);
  clearInterval(timer);
  await reviews.stop();
  log.info('worker stopped');
  // With its channel this process ends at once.
  await new Promise((resolve) => output.write('', resolve));
  process.disconnect();
}

/** Resolves when the primary process says that it is time to stop. */
function listenToPrimary(
  reviews: Reviews,
  { report, tellMetrics }: Readonly<Record<'report' | 'tellMetrics', () => void>>,
): Promise<void> {
  const reload = (): void => void reviews.reload().then(report);
  process.on('SIGHUP', reload);
  return new Promise((resolve) => {
    process.on('message', (message: unknown) => {
      if (!isToWorker(message)) return;
      if (message.imageChecker === 'stop') resolve();
      else if (message.imageChecker === 'reload') reload();
      else tellMetrics();
    });
  });
}

/** To a primary process that has gone there is nothing to tell: this one ends as well. */
function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}
