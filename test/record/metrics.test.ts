import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import type { Decision, Violation } from '../../src/decide/decision.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import type { Metrics, MetricsProbe } from '../../src/record/metrics.ts';
import { policyOf } from '../support/policy.ts';
import { samplesOf } from '../support/samples.ts';

const HOUR_MS = 60 * 60 * 1000;

type Severity = Violation['severity'];

interface Harness {
  readonly metrics: Metrics;
  /** Of the samples of a metric, those that are not 0. */
  readonly counted: (metric: string) => Promise<Record<string, number>>;
  readonly all: (metric: string) => Promise<Record<string, number>>;
  rules: ReturnType<MetricsProbe['policy']>;
}

function harness(given: Partial<MetricsProbe> = {}): Harness {
  const registry = new Registry();
  const all = async (metric: string) => samplesOf(await registry.metrics(), metric);
  const result: Harness = {
    metrics: createMetrics(
      registry,
      {
        policy: () => result.rules,
        policyLoadedAt: () => 1_700_000_000_500,
        ready: () => true,
        reviewsInFlight: () => 0,
        reloads: () => ({ rules: true, certificates: true }),
        registryHosts: ['a.com'],
        certificate: () => ({ validTo: 2_000_000, clientCAValidTo: 3_000_000 }),
        ...given,
      },
      '1.2.3',
    ),
    all,
    counted: async (metric) =>
      Object.fromEntries(Object.entries(await all(metric)).filter(([, value]) => value !== 0)),
    rules: rulesOf('a', 'b'),
  };
  return result;
}

function rulesOf(...names: readonly string[]) {
  return policyOf({ rules: names.map((name) => ({ name, require: { digest: true } })) });
}

function violation(severity: Severity, rule?: string): Violation {
  return {
    severity,
    image: 'docker.io/secret/image',
    message: 'wrong',
    rule: rule === undefined ? undefined : { name: rule, message: undefined },
  };
}

function decision(given: Partial<Decision> = {}): Decision {
  return { allowed: true, violations: [], checks: [], breakGlass: undefined, ...given };
}

describe('the count of reviews', () => {
  it.each<[verdict: string, mode: string, severities: readonly Severity[]]>([
    ['denied', 'enforce', ['enforce']],
    ['denied', 'absolute', ['absolute']],
    ['denied', 'absolute', ['enforce', 'absolute', 'warn']],
    ['denied', 'enforce', ['audit', 'warn', 'enforce', 'audit']],
    ['allowed', 'none', []],
    ['allowed', 'audit', ['audit', 'audit']],
    ['allowed', 'warn', ['audit', 'warn', 'audit']],
    ['allowed', 'enforce', ['warn', 'enforce']],
  ])('has verdict %s and mode %s for %j', async (verdict, mode, severities) => {
    const { metrics, counted } = harness();
    const violations = severities.map((severity) => violation(severity));
    metrics.reviews.decided(decision({ allowed: verdict === 'allowed', violations }), 1);
    expect(await counted('image_checker_reviews_total')).toEqual({
      [`verdict="${verdict}",mode="${mode}"`]: 1,
    });
  });

  it('holds a zero from the start for everything that an alert watches', async () => {
    const { all } = harness();
    expect(await all('image_checker_reviews_total')).toHaveProperty(
      ['verdict="denied",mode="enforce"'],
      0,
    );
    expect(await all('image_checker_break_glass_total')).toEqual({
      'result="accepted"': 0,
      'result="refused"': 0,
    });
    expect(await all('image_checker_violations_total')).toEqual({
      'rule="(none)",mode="enforce"': 0,
      'rule="(none)",mode="absolute"': 0,
      'rule="a",mode="enforce"': 0,
      'rule="b",mode="enforce"': 0,
    });
    expect(await all('image_checker_review_faults_total')).toEqual({ '': 0 });
  });

  it('tells break-glass that was accepted from break-glass that was refused', async () => {
    const { metrics, counted } = harness();
    metrics.reviews.decided(decision({ breakGlass: { accepted: true, ticket: 'INC-1' } }), 1);
    const refused = { accepted: false, ticket: 'x', why: 'y' } as const;
    metrics.reviews.decided(decision({ allowed: false, breakGlass: refused }), 1);
    metrics.reviews.decided(decision({ breakGlass: refused }), 1);
    expect(await counted('image_checker_break_glass_total')).toEqual({
      'result="accepted"': 1,
      'result="refused"': 2,
    });
  });

  it('has the duration in seconds', async () => {
    const { metrics, all } = harness();
    metrics.reviews.decided(decision(), 0.2);
    metrics.reviews.decided(decision(), 8000);
    expect(await all('image_checker_review_duration_seconds_sum')).toEqual({ '': 8.0002 });
    expect(await all('image_checker_review_duration_seconds_bucket')).toMatchObject({
      'le="0.0001"': 0,
      'le="0.00025"': 1,
      'le="5"': 1,
      'le="10"': 2,
    });
  });

  it('counts reviews that could not be decided', async () => {
    const { metrics, all } = harness();
    metrics.reviews.failed();
    expect(await all('image_checker_review_faults_total')).toEqual({ '': 1 });
  });
});

describe('the count of violations', () => {
  const record = (metrics: Metrics, ...violations: readonly Violation[]): void => {
    metrics.reviews.decided(decision({ allowed: false, violations }), 1);
  };

  it('is by rule and mode, each violation once, and never by image', async () => {
    const { metrics, counted } = harness();
    record(metrics, violation('enforce', 'a'), violation('enforce', 'a'), violation('warn', 'b'));
    record(metrics, violation('absolute'), violation('enforce'));
    expect(await counted('image_checker_violations_total')).toEqual({
      'rule="a",mode="enforce"': 2,
      'rule="b",mode="warn"': 1,
      'rule="(none)",mode="absolute"': 1,
      'rule="(none)",mode="enforce"': 1,
    });
  });

  it('gives no rule that is not in force a series of its own', async () => {
    const { metrics, counted } = harness();
    for (let at = 0; at < 1000; at++) record(metrics, violation('enforce', `gone-${at}`));
    expect(await counted('image_checker_violations_total')).toEqual({
      'rule="(other)",mode="enforce"': 1000,
    });
  });

  it('gives the first 200 rules of a file series of their own, and one to all others', async () => {
    const result = harness();
    const names = Array.from({ length: 10_000 }, (_, at) => `rule-${at}`);
    result.rules = rulesOf(...names);
    record(result.metrics, ...names.map((name) => violation('enforce', name)));
    const counted = await result.counted('image_checker_violations_total');
    expect(counted).toMatchObject({
      'rule="rule-0",mode="enforce"': 1,
      'rule="rule-199",mode="enforce"': 1,
      'rule="(other)",mode="enforce"': 9800,
    });
    expect(Object.keys(counted)).toHaveLength(201);
  });

  it('keeps the counts of rules that stay when the rules change, and drops the others', async () => {
    const result = harness();
    record(result.metrics, violation('enforce', 'a'), violation('enforce', 'b'));
    result.rules = rulesOf('b', 'c');
    expect(await result.all('image_checker_violations_total')).toEqual({
      'rule="(none)",mode="enforce"': 0,
      'rule="(none)",mode="absolute"': 0,
      'rule="b",mode="enforce"': 1,
      'rule="c",mode="enforce"': 0,
    });
    record(result.metrics, violation('enforce', 'a'), violation('enforce', 'b'));
    expect(await result.counted('image_checker_violations_total')).toEqual({
      'rule="(other)",mode="enforce"': 1,
      'rule="b",mode="enforce"': 2,
    });
  });

  it('has as many series after a thousand changes of the rules as after one', async () => {
    const result = harness();
    for (let at = 0; at < 1000; at++) {
      result.rules = rulesOf(`a-${at}`);
      record(result.metrics, violation('enforce', `a-${at}`));
    }
    expect(Object.keys(await result.all('image_checker_violations_total'))).toHaveLength(3);
  });
});

describe('the state of the service', () => {
  it.each<[metric: string, given: Partial<MetricsProbe>, samples: Record<string, number>]>([
    ['image_checker_build_info', {}, { 'version="1.2.3"': 1 }],
    ['image_checker_ready', {}, { '': 1 }],
    ['image_checker_ready', { ready: () => false }, { '': 0 }],
    ['image_checker_reviews_in_flight', { reviewsInFlight: () => 7 }, { '': 7 }],
    ['image_checker_rules', {}, { '': 2 }],
    ['image_checker_rules_loaded_timestamp_seconds', {}, { '': 1_700_000_000.5 }],
    [
      'image_checker_last_reload_successful',
      { reloads: () => ({ rules: false, certificates: true }) },
      { 'what="rules"': 0, 'what="certificates"': 1 },
    ],
    [
      'image_checker_certificate_expiry_timestamp_seconds',
      {},
      { 'role="server"': 2000, 'role="client_ca"': 3000 },
    ],
  ])('is in %s', async (metric, given, samples) => {
    expect(await harness(given).all(metric)).toEqual(samples);
  });

  it('names the rules in force alone', async () => {
    const result = harness();
    const before = result.rules.hash;
    result.rules = rulesOf('c');
    const samples = await result.all('image_checker_rules_info');
    expect(samples).toEqual({ [`policy="test-policy",hash="${result.rules.hash}"`]: 1 });
    expect(result.rules.hash).not.toBe(before);
  });
});

describe('the certificates of clients', () => {
  const expiry = async ({ all }: Harness) => {
    const samples = await all('image_checker_certificate_expiry_timestamp_seconds');
    return Object.entries(samples).filter(([labels]) => labels.includes('role="client",'));
  };
  const NOW = 1_000_000_000;

  it('are known by the one that expires first, for each name', async () => {
    const result = harness();
    const { clients } = result.metrics;
    clients.asks('a', 9000, NOW);
    clients.asks('a', 5000, NOW);
    clients.asks('a', 7000, NOW);
    clients.asks('b', 8000, NOW);
    expect(await expiry(result)).toEqual([
      ['role="client",client="a"', 5],
      ['role="client",client="b"', 8],
    ]);
  });

  it('are forgotten an hour after another has taken their place, and not before', async () => {
    const result = harness();
    const { clients } = result.metrics;
    clients.asks('a', 5000, NOW);
    clients.asks('a', 9000, NOW + HOUR_MS);
    expect(await expiry(result)).toEqual([['role="client",client="a"', 5]]);
    clients.asks('a', 9000, NOW + HOUR_MS + 1);
    expect(await expiry(result)).toEqual([['role="client",client="a"', 9]]);
  });
});

describe('what does not become a review', () => {
  it('is counted by status and by limit', async () => {
    const { metrics, counted } = harness();
    metrics.transport.requestRefused(429);
    metrics.transport.requestRefused(429);
    metrics.transport.requestRefused(400);
    metrics.transport.limitReached('in_flight');
    metrics.transport.handshakeFailed();
    expect(await counted('image_checker_requests_refused_total')).toEqual({
      'code="429"': 2,
      'code="400"': 1,
    });
    expect(await counted('image_checker_limit_refusals_total')).toEqual({ 'limit="in_flight"': 1 });
    expect(await counted('image_checker_tls_handshakes_failed_total')).toEqual({ '': 1 });
  });
});

describe('what registries are asked', () => {
  it('is counted by the hosts of the config, and all others together', async () => {
    const { metrics, counted, all } = harness();
    const { answered } = metrics.registries;
    for (const host of ['a.com', 'b.com', 'c.com']) answered(host, 'answered');
    answered('a.com', 'unavailable');
    expect(await counted('image_checker_registry_calls_total')).toEqual({
      'host="a.com",result="answered"': 1,
      'host="a.com",result="unavailable"': 1,
      'host="(other)",result="answered"': 2,
    });
    expect(Object.keys(await all('image_checker_registry_calls_total'))).toHaveLength(12);
  });

  it('is counted by what answered', async () => {
    const { metrics, all } = harness();
    for (const source of ['cache', 'cache', 'verification under way'] as const) {
      metrics.registries.answeredBy(source);
    }
    expect(await all('image_checker_verifications_total')).toEqual({
      'source="cache"': 2,
      'source="verification_under_way"': 1,
      'source="verification"': 0,
    });
  });

  it('is counted by outcome, and by what excused it', async () => {
    const { metrics, all } = harness();
    const check = { image: 'a.com/secret', rule: 'a', digest: undefined, why: undefined };
    const checks = [
      { ...check, outcome: 'passed', excused: undefined },
      { ...check, outcome: 'unchecked', excused: undefined },
      { ...check, outcome: 'unchecked', excused: 'allow' },
    ] as const;
    metrics.reviews.decided(decision({ checks }), 1);
    metrics.reviews.decided(decision(), 1);
    expect(await all('image_checker_registry_checks_total')).toEqual({
      'outcome="passed"': 1,
      'outcome="refused"': 0,
      'outcome="unchecked"': 2,
      'outcome="unasked"': 0,
    });
    expect(await all('image_checker_unchecked_excused_total')).toEqual({
      'on_error="warn"': 0,
      'on_error="allow"': 1,
    });
  });
});
