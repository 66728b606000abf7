import type { Server, TLSSocket } from 'node:tls';
import { messageOf } from '../errors.ts';
import type { Log } from '../record/logger.ts';

/** At most one line in this time: whoever reaches the port can fail handshakes all day. */
const INTERVAL_MS = 1000;

/**
 * Logs peers that failed to get in, for the operator whose certificates do not fit.
 *
 * @param clock milliseconds since 1970
 */
export function logRefusedHandshakes(server: Server, log: Log, clock: () => number): void {
  let last = -Infinity;
  let suppressed = 0;
  server.on('tlsClientError', (error, socket) => {
    if (clock() - last < INTERVAL_MS) {
      suppressed++;
      return;
    }
    last = clock();
    log.warn('TLS handshake refused', {
      cause: causeOf(error, socket),
      address: socket.remoteAddress,
      suppressedSince: suppressed,
    });
    suppressed = 0;
  });
}

/**
 * Of a certificate that does not verify, Node says why on the socket (CERT_HAS_EXPIRED and the
 * like), and in the error only that it hung up.
 */
function causeOf(error: Error, socket: TLSSocket): string {
  const { authorizationError } = socket as { readonly authorizationError?: unknown };
  if (typeof authorizationError === 'string') return authorizationError;
  return 'reason' in error ? String(error.reason) : messageOf(error).slice(0, 300);
}
