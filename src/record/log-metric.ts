import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';

/** Of several processes, the one shows it that writes the lines of all. */
export function registerLogMetric(registry: Registry, lost: () => number): void {
  new Counter({
    name: 'image_checker_log_lines_lost_total',
    aggregator: 'omit',
    help: 'Log lines that could not be written: the disk is full, or the reader has gone or does not keep up.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(lost());
    },
  });
}
