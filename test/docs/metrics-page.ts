import { createMetrics, createProcessRegistry } from '../../src/record/metrics.ts';
import type { MetricsProbe, Registry } from '../../src/record/metrics.ts';
import { registerWorkerMetrics } from '../../src/record/worker-metrics.ts';

/** docs/metrics.md, from the metrics that the code registers. */
export function metricsPage(): string {
  const registry = createProcessRegistry({ lost: () => 0 });
  createMetrics(registry, PROBE, '');
  registerWorkerMetrics(registry, () => 0);
  return `# Metrics

What \`/metrics\` of the admin listener shows, in the text format of Prometheus. Labels take the values
of a fixed list, the names of rules (the first 200 of the file), those of allowed clients or the hosts
of the config; an image or a namespace is never one. Written by \`npm run docs:metrics\` from the code.

With \`workers\` above 1 the counts are the sums of all workers. What a worker had counted stays in them
when it ends and another takes its place, all but what it counted since \`/metrics\` was read last;
\`image_checker_worker_losses_total\` tells of it. What a process has (memory, descriptors, CPU) is added
up as well, and when it started is not told.

## The service

${tableOf(registry, true)}
## The process

As the library prom-client makes them for every Node process.

${tableOf(registry, false)}`;
}

const PROBE: MetricsProbe = {
  policy: () => ({ name: '', hash: '', rules: [] }),
  policyLoadedAt: () => 0,
  certificate: () => ({ validTo: 0, clientCAValidTo: 0 }),
  ready: () => false,
  reviewsInFlight: () => 0,
  reloads: () => ({}),
  registryHosts: [],
};

/** What the types of prom-client do not say of a metric. */
interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

function tableOf(registry: Registry, own: boolean): string {
  const metrics = registry.getMetricsAsArray() as unknown as readonly Metric[];
  const rows = metrics
    .filter(({ name }) => name.startsWith('image_checker_') === own)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, type, labelNames, help }) => {
      const labels = labelNames.map((label) => `\`${label}\``).join(', ');
      return `- \`${name}\` (${[type, ...(labels === '' ? [] : [`by ${labels}`])].join(', ')}): ${help}`;
    });
  return `${rows.join('\n')}\n`;
}
