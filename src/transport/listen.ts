import { Server as NetServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { ImageCheckerError, messageOf, systemCode } from '../errors.ts';
import type { Log } from '../record/logger.ts';

/** Where to listen. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** What carries requests over the connections of a listener. */
export interface Carrier {
  /**
   * Asks every client to leave, from now on, and resolves when no request is in flight, or after
   * the given time.
   */
  drain(graceMs: number): Promise<void>;
  /** Called when every connection has been cut. */
  close(): void;
}

/** A server that can be opened, and what runs over its connections. */
export interface Endpoint {
  readonly server: NetServer;
  readonly carriers: readonly Carrier[];
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
  { server, carriers }: Endpoint,
  at: Listen,
  name: string,
): Promise<RunningServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  try {
    await opened(server, at);
  } catch (thrown) {
    throw portUnavailable(at, name, thrown);
  }
  return {
    address: server.address() as AddressInfo,
    async stop(graceMs) {
      // Not the close of http: it cuts off answers that are not wholly written yet.
      NetServer.prototype.close.call(server);
      await Promise.all(carriers.map((carrier) => carrier.drain(graceMs)));
      for (const socket of sockets) socket.destroy();
      for (const carrier of carriers) carrier.close();
    },
  };
}

/** A connection that could not be accepted is no reason to end. */
export function logListenerErrors(server: NetServer, log: Log): void {
  server.on('error', (error) => {
    log.error('a listener failed', { error: messageOf(error) });
  });
}

function opened(server: NetServer, { host, port }: Listen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portUnavailable(at: Listen, name: string, thrown: unknown): ImageCheckerError {
  const place = `${name}: ${at.host}:${at.port}`;
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
  const running = await listen({ server: new NetServer(), carriers: [] }, at, name);
  await running.stop(0);
}
