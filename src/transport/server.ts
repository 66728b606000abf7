import { createServer as createHttpServer } from 'node:http';
import type { RequestListener, Server as HttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import { constants } from 'node:crypto';
import { Server as NetServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { ImageCheckerError, messageOf, systemCode } from '../errors.ts';
import type { TlsMaterial } from './tls-files.ts';
import { whenOver } from './when-over.ts';

/** Where to listen. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** Longer than the 90 s for which Go's client, kube-apiserver's, keeps an idle connection. */
const KEEP_ALIVE_MS = 120_000;
/** Mutual TLS with RSA takes milliseconds; what takes longer holds a slot open. */
const HANDSHAKE_MS = 10_000;
/** kube-apiserver sends a handful of headers at once, and gives up after 30 s. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 20_000;
/** How often Node looks for requests that are over these times; its default is 30 s. */
const CHECK_MS = 1000;
/** Without a byte to or from the client: it has given up, or it never reads its answer. */
const STALLED_MS = 30_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** What a stop waits for before it cuts what is left. */
export const STOP_MS = 10_000;

/** TLS 1.2 with forward secrecy and authenticated encryption; TLS 1.3 has nothing else. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** The https server, and how to give it other certificates while it runs. */
export interface TlsServer {
  readonly server: HttpsServer;
  /**
   * Puts certificates and client CA in force for connections from now on. The ones that are open
   * are not cut: each is asked to close with its next answer, and its client comes back in by the
   * new ones.
   */
  renew(material: TlsMaterial): void;
}

/**
 * An https server that lets nobody in without a certificate of the client CA. There is no session
 * resumption: a resumed session would not be verified again.
 */
export function createTlsServer(
  material: TlsMaterial,
  minVersion: SecureVersion,
  listener: RequestListener,
): TlsServer {
  const server = createServer({
    ...secureOptions(material, minVersion),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: HANDSHAKE_MS,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  }).setTimeout(STALLED_MS);
  let current = new WeakSet<object>();
  let renewedAt = -Infinity;
  // A handshake that was under way at a renewal may have been verified by the old CA.
  server.on('secureConnection', (socket) => {
    if (performance.now() - renewedAt > HANDSHAKE_MS) current.add(socket);
  });
  server.on('request', (request, response) => {
    if (!current.has(request.socket)) response.setHeader('Connection', 'close');
    listener(request, response);
  });
  return {
    server,
    renew(next) {
      server.setSecureContext(secureOptions(next, minVersion));
      renewedAt = performance.now();
      current = new WeakSet();
    },
  };
}

type SecureVersion = 'TLSv1.2' | 'TLSv1.3';

function secureOptions(material: TlsMaterial, minVersion: SecureVersion): SecureContextOptions {
  return {
    cert: material.certificate,
    key: material.key,
    ca: material.clientCA,
    minVersion,
    ciphers: CIPHERS,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** A plain http server, for the admin listener. */
export function createPlainServer(listener: RequestListener): HttpServer {
  return createHttpServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    listener,
  ).setTimeout(STALLED_MS);
}

/** A server that listens, and how to end it. */
export interface RunningServer {
  readonly address: AddressInfo;
  /** Stops accepting, lets what is in flight finish for `graceMs` at most, then cuts the rest. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Opens a listener. What fails in it later (a connection that could not be accepted) it emits as
 * `error`, for which the caller has to listen.
 *
 * @param name the key in the config file, for messages
 * @throws {ImageCheckerError} `port-unavailable`
 */
export async function listen(
  server: HttpServer,
  { host, port }: Listen,
  name: string,
): Promise<RunningServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const flight = trackInFlight(server);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (thrown) {
    throw portUnavailable({ host, port }, name, thrown);
  }
  return {
    address: server.address() as AddressInfo,
    async stop(graceMs) {
      // Not the close of http: it cuts off answers that are not wholly written yet.
      NetServer.prototype.close.call(server);
      await flight.drained(graceMs);
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

interface Flight {
  /** Resolves when nothing is in flight, or after the given time. */
  drained(graceMs: number): Promise<void>;
}

function trackInFlight(server: HttpServer): Flight {
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
    async drained(graceMs) {
      await new Promise<void>((resolve) => {
        onIdle = resolve;
        if (inFlight === 0) resolve();
        else setTimeout(resolve, graceMs).unref();
      });
    },
  };
}

function portUnavailable(listen: Listen, name: string, thrown: unknown): ImageCheckerError {
  const place = `${name}: ${listen.host}:${listen.port}`;
  const inUse = systemCode(thrown) === 'EADDRINUSE';
  const message = inUse
    ? `${place} is in use by another process`
    : `cannot listen on ${place}: ${messageOf(thrown)}`;
  const hint = `choose another ${name}.host or ${name}.port in the config file, or stop what is there`;
  return new ImageCheckerError('port-unavailable', { message, hint }, { cause: thrown });
}

/**
 * Finds out whether a listener could be opened, so that it can be told together with what else is
 * wrong.
 *
 * @throws {ImageCheckerError} `port-unavailable`
 */
export async function probeListen(at: Listen, name: string): Promise<void> {
  const running = await listen(createHttpServer(), at, name);
  await running.stop(0);
}
