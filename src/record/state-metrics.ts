import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** What is asked of the service when its metrics are read. */
export interface ServiceProbe {
  readonly policy: () => {
    readonly name: string;
    readonly hash: string;
    readonly rules: readonly unknown[];
  };
  /** When the rules in force were loaded; milliseconds since 1970. */
  readonly policyLoadedAt: () => number;
  readonly ready: () => boolean;
  readonly reviewsInFlight: () => number;
  /** Whether the last loading of each of the things that are reloaded was a success. */
  readonly reloads: () => Readonly<Record<string, boolean>>;
}

/** Metrics that are looked up when they are read. */
export function registerStateMetrics(
  registry: Registry,
  probe: ServiceProbe,
  version: string,
): void {
  const registers = [registry];
  new Gauge({
    name: 'image_checker_build_info',
    aggregator: 'first',
    help: 'Always 1, with the version.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  registerReadyMetric(registry, probe.ready);
  new Gauge({
    name: 'image_checker_reviews_in_flight',
    help: 'Reviews whose answer is not wholly sent.',
    registers,
    collect() {
      this.set(probe.reviewsInFlight());
    },
  });
  new Gauge({
    name: 'image_checker_last_reload_successful',
    aggregator: 'min',
    help: 'Whether the last loading was a success (1) or the state from before is in force (0), by what is loaded: rules, certificates.',
    labelNames: ['what'],
    registers,
    collect() {
      for (const [what, good] of Object.entries(probe.reloads())) this.set({ what }, Number(good));
    },
  });
  registerRulesMetrics(registers, probe);
}

/** Of several processes, the one shows it that answers /readyz. */
export function registerReadyMetric(registry: Registry, ready: () => boolean): void {
  new Gauge({
    name: 'image_checker_ready',
    aggregator: 'omit',
    help: 'Whether /readyz is 200 (1) or not (0).',
    registers: [registry],
    collect() {
      this.set(Number(ready()));
    },
  });
}

function registerRulesMetrics(registers: Registry[], probe: ServiceProbe): void {
  new Gauge({
    name: 'image_checker_rules_info',
    aggregator: 'first',
    help: 'Always 1, with name and hash of the rules file in force.',
    labelNames: ['policy', 'hash'],
    registers,
    collect() {
      const { name, hash } = probe.policy();
      this.reset();
      this.set({ policy: name, hash }, 1);
    },
  });
  new Gauge({
    name: 'image_checker_rules',
    aggregator: 'first',
    help: 'Rules in force.',
    registers,
    collect() {
      this.set(probe.policy().rules.length);
    },
  });
  new Gauge({
    name: 'image_checker_rules_loaded_timestamp_seconds',
    aggregator: 'min',
    help: 'When the rules in force were loaded.',
    registers,
    collect() {
      this.set(probe.policyLoadedAt() / 1000);
    },
  });
}
