import type { TLSSocket } from 'node:tls';
import type { ClientCertificates } from '../record/certificate-metrics.ts';
import type { Log } from '../record/logger.ts';
import { identityOf } from './client-identity.ts';
import { RequestRefused } from './refusal.ts';

/** What is needed to tell who may ask. */
export interface ClientGateDeps {
  /** Names of which the client certificate has to carry one. */
  readonly allowedClients: readonly string[];
  readonly clients: ClientCertificates;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/**
 * The name by which a client may ask. The TLS layer has verified the certificate; here its name is
 * held against the list, and its end against the clock, for every request.
 *
 * @throws {RequestRefused} 403
 */
export type ClientGate = (socket: TLSSocket) => string;

export function createClientGate(deps: ClientGateDeps): ClientGate {
  const { allowedClients, clients, log, clock } = deps;
  return (socket) => {
    const identity = identityOf(socket);
    const client = identity?.names.find((name) => allowedClients.includes(name));
    const now = clock();
    if (identity !== undefined && client !== undefined && now <= identity.validTo) {
      clients.asks(client, identity.validTo, now);
      return client;
    }
    log.warn('client refused', {
      names: identity?.names.slice(0, 20).map((name) => name.slice(0, 200)) ?? [],
      address: socket.remoteAddress,
      cause: client === undefined ? 'name not allowed' : 'certificate expired',
    });
    throw new RequestRefused(403, 'this client certificate is not allowed to ask');
  };
}
