import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import { registerLogMetric } from './log-metric.ts';
import { registerReadyMetric } from './state-metrics.ts';

/** The metrics of a service of several processes, as the one shows them that speaks for all. */
export interface PrimaryMetrics {
  readonly contentType: string;
  metrics(): Promise<string>;
  readonly workerEnded: () => void;
}

/** What is asked when the metrics are read. */
export interface PrimaryProbe {
  /** How many workers serve. */
  readonly serving: () => number;
  readonly ready: () => boolean;
  /** Lines of the log, and of the workers' logs. */
  readonly lost: () => number;
}

export function createPrimaryMetrics({ serving, ready, lost }: PrimaryProbe): PrimaryMetrics {
  const own = new Registry();
  registerReadyMetric(own, ready);
  registerLogMetric(own, lost);
  const ended = registerWorkerMetrics(own, serving);
  const ofWorkers = new AggregatorRegistry();
  return {
    contentType: own.contentType,
    async metrics() {
      return (await ofWorkers.clusterMetrics()) + (await own.metrics());
    },
    workerEnded() {
      ended.inc();
    },
  };
}

/** What there is with `workers` above 1 alone. */
export function registerWorkerMetrics(registry: Registry, serving: () => number): Counter {
  const registers = [registry];
  new Gauge({
    name: 'image_checker_workers',
    help: 'Worker processes that serve (with `workers` above 1 in the config).',
    registers,
    collect() {
      this.set(serving());
    },
  });
  return new Counter({
    name: 'image_checker_worker_losses_total',
    help: 'Worker processes that ended by themselves and were replaced (with `workers` above 1 in the config).',
    registers,
  });
}

/** Lets the primary process ask for what a registry of this worker holds. */
export function offerMetrics(registry: Registry): void {
  AggregatorRegistry.setRegistries(registry);
  // Made for what making one does: it listens for the question.
  new AggregatorRegistry();
}
