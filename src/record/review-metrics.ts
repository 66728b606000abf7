import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Decision, Violation } from '../decide/decision.ts';
import { createCheckCounter } from './registry-metrics.ts';
import { createViolationCounter } from './violation-metrics.ts';
import type { RuleNames } from './violation-metrics.ts';

/** Counts reviews. */
export interface ReviewMetrics {
  /** A review has its answer. */
  decided(decision: Decision, durationMs: number): void;
  /** A review is denied because deciding it failed. */
  failed(): void;
}

/** From what rules alone take to the deadline of those that ask a registry. */
const DURATIONS = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025],
  ...[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

/** @param rules asked for the rules in force */
export function createReviewMetrics(registry: Registry, rules: () => RuleNames): ReviewMetrics {
  const registers = [registry];
  const countVerdict = createVerdictCounter(registry);
  const countBreakGlass = createBreakGlassCounter(registry);
  const countViolations = createViolationCounter(registry, rules);
  const countChecks = createCheckCounter(registry);
  const observe = createDurations(registry);
  const faults = new Counter({
    name: 'image_checker_review_faults_total',
    help: 'Reviews denied because image-checker failed to decide them; its log says why.',
    registers,
  });
  return {
    decided(decision, durationMs) {
      countVerdict(decision);
      observe(durationMs / 1000);
      if (decision.violations.length > 0) countViolations(decision.violations);
      if (decision.checks.length > 0) countChecks(decision.checks);
      if (decision.breakGlass !== undefined) countBreakGlass(decision.breakGlass);
    },
    failed() {
      faults.inc();
    },
  };
}

/** Gathers durations, and hands many to prom-client at once: one by one they cost five times that. */
function createDurations(registry: Registry): (seconds: number) => void {
  const gathered = new Float64Array(256);
  let count = 0;
  const handOver = (): void => {
    for (const seconds of gathered.subarray(0, count)) duration.observe(seconds);
    count = 0;
  };
  const duration = new Histogram({
    name: 'image_checker_review_duration_seconds',
    help: 'Time from the whole body of a review to its answer.',
    buckets: DURATIONS,
    registers: [registry],
    collect: handOver,
  });
  return (seconds) => {
    gathered[count++] = seconds;
    if (count === gathered.length) handOver();
  };
}

/** The strongest mode of what was violated. */
type Strongest = 'none' | Violation['severity'];

const STRENGTH: Readonly<Record<Strongest, number>> = {
  none: 0,
  audit: 1,
  warn: 2,
  enforce: 3,
  absolute: 4,
};

/** Counts by itself, and tells prom-client when it is asked: each review would pay for its labels. */
function createVerdictCounter(registry: Registry): (decision: Decision) => void {
  const allowed = noReviews();
  const denied = noReviews();
  new Counter({
    name: 'image_checker_reviews_total',
    help: 'Reviews answered, by verdict (allowed, denied) and the strongest mode of what was violated: none, audit, warn, enforce (when allowed: by break-glass), absolute (what break-glass cannot override).',
    labelNames: ['verdict', 'mode'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [verdict, counts] of Object.entries({ allowed, denied })) {
        for (const [mode, count] of Object.entries(counts)) this.inc({ verdict, mode }, count);
      }
    },
  });
  return (decision) => {
    (decision.allowed ? allowed : denied)[strongestOf(decision.violations)]++;
  };
}

/** All are there from the start: a rate needs a zero to rise from. */
function noReviews(): Record<Strongest, number> {
  return { none: 0, audit: 0, warn: 0, enforce: 0, absolute: 0 };
}

function strongestOf(violations: readonly Violation[]): Strongest {
  let strongest: Strongest = 'none';
  for (const { severity } of violations) {
    if (STRENGTH[severity] > STRENGTH[strongest]) strongest = severity;
  }
  return strongest;
}

function createBreakGlassCounter(registry: Registry): (use: { accepted: boolean }) => void {
  const counter = new Counter({
    name: 'image_checker_break_glass_total',
    help: 'Reviews with the break-glass annotation, by result: accepted, refused.',
    labelNames: ['result'],
    registers: [registry],
  });
  const accepted = childOf(counter, { result: 'accepted' });
  const refused = childOf(counter, { result: 'refused' });
  return (use) => {
    (use.accepted ? accepted : refused).inc();
  };
}

type Child = Counter.Internal;

/** Looked up once, and there from the start: a rate needs a zero to rise from. */
function childOf<T extends string>(counter: Counter<T>, labels: Record<T, string>): Child {
  const child = counter.labels(labels);
  child.inc(0);
  return child;
}
