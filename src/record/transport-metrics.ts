import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';

const LIMITS = [
  'in_flight',
  'body_bytes',
  'all_body_bytes',
  'handshakes',
  'connections',
  'http2_frames',
] as const;

/** What is bounded, and what it is that is turned away beyond it. */
export type Limit = (typeof LIMITS)[number];

/** The HTTP errors that there are. */
const CODES = [400, 403, 404, 405, 413, 415, 429, 500];

/** Counts what does not become a review. */
export interface TransportMetrics {
  /** A request was answered by an HTTP error, so that the plugin's `defaultAllow` decides. */
  requestRefused(code: number): void;
  limitReached(limit: Limit): void;
  handshakeFailed(): void;
}

export function createTransportMetrics(registry: Registry): TransportMetrics {
  const registers = [registry];
  const refused = new Counter({
    name: 'image_checker_requests_refused_total',
    help: "Requests of a client with a certificate that got no review's answer, by HTTP status; for them the plugin's defaultAllow decides.",
    labelNames: ['code'],
    registers,
  });
  for (const code of CODES) refused.inc({ code }, 0);
  const limits = new Counter({
    name: 'image_checker_limit_refusals_total',
    help: `Requests and connections turned away, by the limit that was reached: ${LIMITS.join(', ')}.`,
    labelNames: ['limit'],
    registers,
  });
  for (const limit of LIMITS) limits.inc({ limit }, 0);
  const handshakes = new Counter({
    name: 'image_checker_tls_handshakes_failed_total',
    help: 'TLS handshakes that failed: no certificate, one of another CA, an expired one, or no TLS at all.',
    registers,
  });
  return {
    requestRefused(code) {
      refused.inc({ code });
    },
    limitReached(limit) {
      limits.inc({ limit });
    },
    handshakeFailed() {
      handshakes.inc();
    },
  };
}
