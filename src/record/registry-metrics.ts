import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';
import type { RegistryCheck } from '../decide/decision.ts';

/** Counts what registries are asked, and what their answers are worth. */
export interface RegistryMetrics {
  /** A registry answered a question, or did not. */
  readonly answered: (host: string, result: (typeof RESULTS)[number]) => void;
  /** A check had its answer from there. */
  readonly answeredBy: (source: (typeof SOURCES)[number]) => void;
}

const RESULTS = ['answered', 'missing', 'unavailable', 'limited', 'corrupt', 'failed'] as const;
const SOURCES = ['cache', 'verification under way', 'verification'] as const;
/** In place of the name of a host; none has parentheses. */
const OTHER_HOST = '(other)';

/** @param hosts those that have a count of their own: whoever creates pods may name any number */
export function createRegistryMetrics(
  registry: Registry,
  hosts: readonly string[],
): RegistryMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: 'image_checker_registry_calls_total',
    help: `Questions to registries, by host and result: ${RESULTS.join(', ')} (missing: 404; limited: a limit of ours was in the way). The host is ${OTHER_HOST} where it is none of registries.hosts of the config.`,
    labelNames: ['host', 'result'],
    registers,
  });
  const named = new Set([...hosts, OTHER_HOST]);
  for (const host of named) for (const result of RESULTS) calls.inc({ host, result }, 0);
  const sources = new Counter({
    name: 'image_checker_verifications_total',
    help: 'What answered the question whether an image is as a rule requires: cache, a verification under way for another review, a verification of its own.',
    labelNames: ['source'],
    registers,
  });
  for (const source of SOURCES) sources.inc({ source: source.replaceAll(' ', '_') }, 0);
  return {
    answered(host, result) {
      calls.inc({ host: named.has(host) ? host : OTHER_HOST, result });
    },
    answeredBy(source) {
      sources.inc({ source: source.replaceAll(' ', '_') });
    },
  };
}

const OUTCOMES = ['passed', 'refused', 'unchecked', 'unasked'] as const;

/** Counts what reviews came to know from registries. */
export function createCheckCounter(registry: Registry): (checks: readonly RegistryCheck[]) => void {
  const checks = new Counter({
    name: 'image_checker_registry_checks_total',
    help: `Questions of rules to a registry, one for each image of a review, by outcome: ${OUTCOMES.join(', ')} (unasked: the review was decided without it).`,
    labelNames: ['outcome'],
    registers: [registry],
  });
  for (const outcome of OUTCOMES) checks.inc({ outcome }, 0);
  const excused = new Counter({
    name: 'image_checker_unchecked_excused_total',
    help: 'Images that could not be checked and were not denied for it, by the onError of the rule: warn, allow.',
    labelNames: ['on_error'],
    registers: [registry],
  });
  for (const on_error of ['warn', 'allow']) excused.inc({ on_error }, 0);
  return (made) => {
    for (const { outcome, excused: by } of made) {
      checks.inc({ outcome });
      if (by !== undefined) excused.inc({ on_error: by });
    }
  };
}
