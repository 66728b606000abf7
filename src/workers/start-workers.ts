import { performance } from 'node:perf_hooks';
import type { Config } from '../config/schema.ts';
import type { StreamLog } from '../record/logger.ts';
import { createPrimaryMetrics } from '../record/worker-metrics.ts';
import { checkStart, startAdmin } from '../service.ts';
import type { Service } from '../service.ts';
import { STOP_MS } from '../transport/limits.ts';
import { createFork } from './cluster.ts';
import { createRelay } from './relay-lines.ts';
import { createSupervisor } from './supervisor.ts';

/** What a worker may need beyond the time in which it finishes what is in flight. */
const MARGIN_MS = 2000;

export interface WorkersDeps {
  readonly count: number;
  /** The arguments of this program that make it a worker. */
  readonly args: readonly string[];
  /** Where the workers' logs go, too. */
  readonly log: StreamLog;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/**
 * Starts the service in several processes: this one watches over the others and speaks for them on
 * the admin listener.
 *
 * @throws {ImageCheckerError} with all problems of certificates, rules and ports
 */
export async function startWorkers(config: Config, deps: WorkersDeps): Promise<Service> {
  const { count, args, log, clock } = deps;
  await checkStart(config, clock());
  const metrics = createPrimaryMetrics({
    serving: () => supervisor.serving(),
    ready: () => supervisor.readiness().ready,
    lost: () => log.lost() + supervisor.lost(),
    readings: () => supervisor.readings(),
  });
  const relay = createRelay((lines) => {
    log.pass(lines);
  });
  const supervisor = createSupervisor({
    count,
    log,
    fork: createFork(args, relay),
    now: () => performance.now(),
    onLoss: metrics.workerEnded,
  });
  const stopAll = (): Promise<void> => supervisor.stop(STOP_MS + MARGIN_MS);
  try {
    const port = await supervisor.port;
    const admin = await startAdmin(config, { readiness: supervisor.readiness, metrics, log });
    return {
      port,
      adminPort: admin.port,
      reload() {
        supervisor.reload();
        return Promise.resolve();
      },
      async stop() {
        await stopAll();
        await admin.stop();
      },
    };
  } catch (thrown) {
    await stopAll();
    throw thrown;
  }
}
