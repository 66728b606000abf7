import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { Carrier, Endpoint } from './listen.ts';
import {
  CHECK_MS,
  HEADERS_MS,
  KEEP_ALIVE_MS,
  MAX_HEADER_BYTES,
  REQUEST_MS,
  STALLED_MS,
} from './limits.ts';
import { whenOver } from './when-over.ts';

/** A plain http server, for the admin listener. */
export function createPlainServer(
  listener: RequestListener,
): Endpoint & { readonly server: Server } {
  const server = newServer({}, listener);
  return { server, carriers: [carrierOf(server)] };
}

/** HTTP/1.1 over connections that somebody else accepts. */
export interface Http1 extends Carrier {
  /** Serves a connection, from its first byte on. */
  readonly serve: (socket: NodeJS.ReadWriteStream) => void;
}

export function createHttp1(listener: RequestListener): Http1 {
  const server = newServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener);
  // It never listens itself, and only begins to look for requests over their time when it does.
  server.emit('listening');
  return {
    ...carrierOf(server),
    serve(socket) {
      server.emit('connection', socket);
    },
  };
}

function newServer(options: { keepAliveTimeout?: number }, listener: RequestListener): Server {
  return createServer(
    {
      ...options,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    listener,
  ).setTimeout(STALLED_MS);
}

function carrierOf(server: Server): Carrier {
  let inFlight = 0;
  let onIdle: (() => void) | undefined;
  server.prependListener('request', (request, response) => {
    inFlight++;
    if (onIdle !== undefined) response.setHeader('Connection', 'close');
    whenOver(request, response, () => {
      inFlight--;
      if (inFlight === 0) onIdle?.();
    });
  });
  return {
    drain(graceMs) {
      return new Promise((resolve) => {
        onIdle = resolve;
        if (inFlight === 0) resolve();
        else setTimeout(resolve, graceMs).unref();
      });
    },
    close() {
      server.close();
    },
  };
}
