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
  readonly readings: () => Promise<readonly Reading[]>;
}

/** What a registry holds, as one process can tell another. */
export type Reading = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

export function createPrimaryMetrics(probe: PrimaryProbe): PrimaryMetrics {
  const { serving, ready, lost, readings } = probe;
  const own = new Registry();
  registerReadyMetric(own, ready);
  registerLogMetric(own, lost);
  const ended = registerWorkerMetrics(own, serving);
  return {
    contentType: own.contentType,
    async metrics() {
      const ofWorkers = AggregatorRegistry.aggregate([...(await readings())]);
      return (await ofWorkers.metrics()) + (await own.metrics());
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

const COUNTS: readonly string[] = ['counter', 'histogram'];

/** The sums of what was counted, which outlive a process, and nothing of its state. */
export async function countsOf(readings: readonly Reading[]): Promise<Reading> {
  const counts = readings.map((reading) =>
    reading.filter(({ type }) => COUNTS.includes(String(type))),
  );
  return AggregatorRegistry.aggregate(counts).getMetricsAsJSON();
}
