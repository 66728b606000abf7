import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import type { Server as SecureServer } from 'node:tls';
import type { TransportMetrics } from '../record/transport-metrics.ts';
import { createHandshakeGate } from './handshake-gate.ts';
import { createHttp1 } from './http1.ts';
import type { StreamListener } from './http2-session.ts';
import { createHttp2 } from './http2-sessions.ts';
import type { Endpoint } from './listen.ts';
import { HANDSHAKE_MS } from './limits.ts';
import type { TlsMaterial } from './tls-files.ts';
import { secureOptions } from './tls-options.ts';
import type { SecureVersion } from './tls-options.ts';

/** Who answers, by protocol. */
export interface Listeners {
  readonly http1: RequestListener;
  readonly http2: StreamListener;
}

/** A kube-apiserver needs a handful; each costs memory and a file descriptor. */
const MAX_CONNECTIONS = 4096;

/** The server for reviews, and how to give it other certificates while it runs. */
export interface TlsServer extends Endpoint {
  /** Tells of handshakes that fail. */
  readonly secure: SecureServer;
  /**
   * Puts certificates and client CA in force for connections from now on. The ones that are open
   * are not cut: each is asked to close, and its client comes back in by the new ones.
   */
  renew(material: TlsMaterial): void;
}

/**
 * A TLS server that lets nobody in without a certificate of the client CA, and speaks HTTP/2 with
 * whom it likes (kube-apiserver), else HTTP/1.1. There is no session resumption: a resumed session
 * would not be verified again.
 */
export function createTlsServer(
  material: TlsMaterial,
  minVersion: SecureVersion,
  listeners: Listeners,
  metrics: TransportMetrics,
): TlsServer {
  let current = new WeakSet<object>();
  let renewedAt = -Infinity;
  const http1 = createHttp1((request, response) => {
    if (!current.has(request.socket)) response.setHeader('Connection', 'close');
    listeners.http1(request, response);
  });
  const http2 = createHttp2(listeners.http2, () => {
    metrics.limitReached('http2_frames');
  });
  const gate = createHandshakeGate();
  const secure = createSecureServer({
    ...secureOptions(material, minVersion),
    ALPNProtocols: ['h2', 'http/1.1'],
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: HANDSHAKE_MS,
  });
  secure.on('secureConnection', (socket) => {
    gate.done(socket);
    // A handshake that was under way at a renewal may have been verified by the old CA.
    const certain = performance.now() - renewedAt > HANDSHAKE_MS;
    if (certain) current.add(socket);
    if (socket.alpnProtocol === 'h2') http2.serve(socket, !certain);
    else http1.serve(socket);
  });
  // One that has waited for too long is told of, and still there.
  secure.on('tlsClientError', (_error, socket) => {
    metrics.handshakeFailed();
    socket.destroy();
  });
  const server = createServer({ noDelay: true }, (socket) => {
    if (gate.admit(socket)) {
      secure.emit('connection', socket);
      return;
    }
    metrics.limitReached('handshakes');
    socket.resetAndDestroy();
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('drop', () => {
    metrics.limitReached('connections');
  });
  return {
    server,
    secure,
    carriers: [http1, http2],
    renew(next) {
      secure.setSecureContext(secureOptions(next, minVersion));
      renewedAt = performance.now();
      current = new WeakSet();
      http2.retireAll();
    },
  };
}
