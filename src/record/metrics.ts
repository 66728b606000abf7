import { collectDefaultMetrics, Registry } from 'prom-client';
import { createCertificateMetrics } from './certificate-metrics.ts';
import type { ClientCertificates, OwnCertificates } from './certificate-metrics.ts';
import { registerLogMetric } from './log-metric.ts';
import { createRegistryMetrics } from './registry-metrics.ts';
import type { RegistryMetrics } from './registry-metrics.ts';
import { createReviewMetrics } from './review-metrics.ts';
import type { ReviewMetrics } from './review-metrics.ts';
import { registerStateMetrics } from './state-metrics.ts';
import type { ServiceProbe } from './state-metrics.ts';
import { createTransportMetrics } from './transport-metrics.ts';
import type { TransportMetrics } from './transport-metrics.ts';
import type { RuleNames } from './violation-metrics.ts';

export type { Registry } from 'prom-client';

/** Where the parts of the service count what they do. */
export interface Metrics {
  readonly reviews: ReviewMetrics;
  readonly transport: TransportMetrics;
  readonly clients: ClientCertificates;
  readonly registries: RegistryMetrics;
}

/** What the service is asked for when its metrics are read. */
export interface MetricsProbe extends ServiceProbe {
  readonly policy: () => ReturnType<ServiceProbe['policy']> & RuleNames;
  readonly certificate: () => OwnCertificates;
  /** The registries that are counted by name. */
  readonly registryHosts: readonly string[];
}

/** Registers every metric of the service: the one place where they are made. */
export function createMetrics(registry: Registry, probe: MetricsProbe, version: string): Metrics {
  registerStateMetrics(registry, probe, version);
  return {
    reviews: createReviewMetrics(registry, probe.policy),
    transport: createTransportMetrics(registry),
    clients: createCertificateMetrics(registry, probe.certificate),
    registries: createRegistryMetrics(registry, probe.registryHosts),
  };
}

/**
 * A registry with the metrics of the process itself, and of its log. They watch it to its end, so
 * make one alone.
 */
export function createProcessRegistry(log: { lost(): number }): Registry {
  const register = new Registry();
  collectDefaultMetrics({ register });
  registerLogMetric(register, () => log.lost());
  return register;
}
