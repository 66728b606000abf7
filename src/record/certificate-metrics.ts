import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** Ends of certificates that the service holds; milliseconds since 1970. */
export interface OwnCertificates {
  readonly validTo: number;
  /** Of the client CA that lasts longest. */
  readonly clientCAValidTo: number;
}

/** Remembers by which certificates clients ask. */
export interface ClientCertificates {
  /** A client asks by a certificate. Times in milliseconds since 1970. */
  asks(client: string, validTo: number, now: number): void;
}

/** Replicas of kube-apiserver share a name; each asks more often than this. */
const RECENT_MS = 60 * 60 * 1000;

/** @param own asked for what is in force */
export function createCertificateMetrics(
  registry: Registry,
  own: () => OwnCertificates,
): ClientCertificates {
  // By name, the ends of certificates and when each was last used. Names come from the config.
  const clients = new Map<string, Map<number, number>>();
  new Gauge({
    name: 'image_checker_certificate_expiry_timestamp_seconds',
    aggregator: 'min',
    help: 'When a certificate expires, by role: server, client_ca (of several, the last to expire), client (of those that a client used in the last hour, the first to expire; with its name).',
    labelNames: ['role', 'client'],
    registers: [registry],
    collect() {
      const { validTo, clientCAValidTo } = own();
      this.reset();
      this.set({ role: 'server' }, validTo / 1000);
      this.set({ role: 'client_ca' }, clientCAValidTo / 1000);
      for (const [client, ends] of clients) {
        this.set({ role: 'client', client }, firstOfRecent(ends) / 1000);
      }
    },
  });
  return {
    asks(client, validTo, now) {
      const ends = clients.get(client);
      if (ends === undefined) clients.set(client, new Map([[validTo, now]]));
      else ends.set(validTo, now);
    },
  };
}

/** Reckoned from the last use, so that a client that asks nothing for long is not forgotten. */
function firstOfRecent(ends: Map<number, number>): number {
  const last = Math.max(...ends.values());
  for (const [end, used] of ends) {
    if (used < last - RECENT_MS) ends.delete(end);
  }
  return Math.min(...ends.keys());
}
