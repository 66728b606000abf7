import { describe, expect, it } from '@jest/globals';
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { createMetrics } from '../../src/record/metrics.ts';
import type { MetricsProbe } from '../../src/record/metrics.ts';
import type { PrimaryMetrics, PrimaryProbe, Reading } from '../../src/record/worker-metrics.ts';
import { countsOf, createPrimaryMetrics } from '../../src/record/worker-metrics.ts';
import { policyOf } from '../support/policy.ts';
import { samplesOf } from '../support/samples.ts';

const policy = policyOf({ rules: [{ name: 'a', require: { digest: true } }] });

/** What a worker tells the primary process of its metrics. */
function told(given: Partial<MetricsProbe>): Promise<Reading> {
  const registry = new Registry();
  const probe: MetricsProbe = {
    policy: () => policy,
    policyLoadedAt: () => 1_700_000_000_000,
    ready: () => true,
    reviewsInFlight: () => 0,
    reloads: () => ({ rules: true, certificates: true }),
    registryHosts: [],
    certificate: () => ({ validTo: 5_000_000, clientCAValidTo: 9_000_000 }),
    ...given,
  };
  createMetrics(registry, probe, '1.2.3').reviews.failed();
  return registry.getMetricsAsJSON();
}

async function together(...workers: readonly Partial<MetricsProbe>[]): Promise<string> {
  return AggregatorRegistry.aggregate(await Promise.all(workers.map(told))).metrics();
}

describe('the metrics of two workers', () => {
  const one: Partial<MetricsProbe> = { reviewsInFlight: () => 2 };
  const other: Partial<MetricsProbe> = {
    reviewsInFlight: () => 3,
    policyLoadedAt: () => 1_600_000_000_000,
    reloads: () => ({ rules: false, certificates: true }),
    certificate: () => ({ validTo: 4_000_000, clientCAValidTo: 9_000_000 }),
  };

  it.each([
    ['image_checker_build_info', { 'version="1.2.3"': 1 }],
    ['image_checker_rules', { '': 1 }],
    ['image_checker_rules_info', { [`policy="test-policy",hash="${policy.hash}"`]: 1 }],
    ['image_checker_rules_loaded_timestamp_seconds', { '': 1_600_000_000 }],
    ['image_checker_last_reload_successful', { 'what="rules"': 0, 'what="certificates"': 1 }],
    [
      'image_checker_certificate_expiry_timestamp_seconds',
      { 'role="server"': 4000, 'role="client_ca"': 9000 },
    ],
    ['image_checker_reviews_in_flight', { '': 5 }],
    ['image_checker_review_faults_total', { '': 2 }],
    // By the readiness that /readyz combines, which a worker does not know.
    ['image_checker_ready', {}],
  ])('are one in %s', async (metric, samples) => {
    for (const workers of [
      [one, other],
      [other, one],
    ]) {
      expect(samplesOf(await together(...workers), metric)).toEqual(samples);
    }
  });

  it('name the rules of both while only one has loaded others', async () => {
    const loaded = policyOf({ rules: [] });
    const text = await together({}, { policy: () => loaded });
    expect(samplesOf(text, 'image_checker_rules_info')).toEqual({
      [`policy="test-policy",hash="${policy.hash}"`]: 1,
      [`policy="test-policy",hash="${loaded.hash}"`]: 1,
    });
  });
});

function primary(given: Partial<PrimaryProbe>): PrimaryMetrics {
  const readings = (): Promise<readonly Reading[]> => Promise.resolve([]);
  return createPrimaryMetrics({
    ...{ serving: () => 1, ready: () => true, lost: () => 0, readings },
    ...given,
  });
}

describe('the metrics of the process over the workers', () => {
  it.each([
    [true, 1],
    [false, 0],
  ])('are ready by /readyz: %s', async (ready, value) => {
    const metrics = primary({ ready: () => ready, lost: () => 7 });
    const text = await metrics.metrics();
    expect(samplesOf(text, 'image_checker_ready')).toEqual({ '': value });
    expect(samplesOf(text, 'image_checker_log_lines_lost_total')).toEqual({ '': 7 });
  });
});

describe('what a worker has counted', () => {
  /** As it comes from another process. */
  async function reading(): Promise<Reading> {
    const registers = [new Registry()];
    new Counter({ name: 'c_total', help: '-', labelNames: ['a'], registers }).inc({ a: 'x' }, 5);
    new Histogram({ name: 'h', help: '-', buckets: [1, 10], registers }).observe(7);
    new Gauge({ name: 'g', help: '-', registers }).set(3);
    new Counter({ name: 'own_total', help: '-', registers, aggregator: 'omit' }).inc();
    return JSON.parse(JSON.stringify(await registers[0]?.getMetricsAsJSON())) as Reading;
  }

  it('is added to what the others count once it has ended, and its state is not', async () => {
    const ofEnded = await countsOf([await countsOf([await reading()]), await reading()]);
    const text = await AggregatorRegistry.aggregate([ofEnded, await reading()]).metrics();
    expect(samplesOf(text, 'c_total')).toEqual({ 'a="x"': 15 });
    expect(samplesOf(text, 'h_bucket')).toEqual({ 'le="1"': 0, 'le="10"': 3, 'le="+Inf"': 3 });
    expect([samplesOf(text, 'h_sum'), samplesOf(text, 'h_count')]).toEqual([{ '': 21 }, { '': 3 }]);
    expect(samplesOf(text, 'g')).toEqual({ '': 3 });
    expect(samplesOf(text, 'own_total')).toEqual({});
  });

  it('is shown although none is left', async () => {
    const ofEnded = await countsOf([await reading()]);
    const text = await primary({ readings: () => Promise.resolve([ofEnded]) }).metrics();
    expect(samplesOf(text, 'c_total')).toEqual({ 'a="x"': 5 });
    expect(samplesOf(text, 'image_checker_ready')).toEqual({ '': 1 });
  });
});
