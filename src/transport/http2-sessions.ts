import type { TLSSocket } from 'node:tls';
import { openSession } from './http2-session.ts';
import type { Session, StreamListener } from './http2-session.ts';
import type { Carrier } from './listen.ts';
import { CHECK_MS } from './limits.ts';

/** HTTP/2 over connections that somebody else accepts. */
export interface Http2 extends Carrier {
  /** @param short whether the connection is to end with the first request on it */
  readonly serve: (socket: TLSSocket, short: boolean) => void;
  /** Lets what is open finish, and sends every client away to come back on a new connection. */
  readonly retireAll: () => void;
}

/** @param flooded told when a connection is cut because it asks for nothing, and much of it */
export function createHttp2(listener: StreamListener, flooded: () => void): Http2 {
  const sessions = new Set<Session>();
  let onEmpty: (() => void) | undefined;
  const timer = setInterval(() => {
    const now = performance.now();
    for (const session of sessions) session.check(now);
  }, CHECK_MS).unref();
  const retireAll = (): void => {
    for (const session of sessions) session.retire();
  };
  return {
    serve(socket, short) {
      const session = openSession(socket, listener, {
        short: short || onEmpty !== undefined,
        flooded,
      });
      sessions.add(session);
      session.onClose(() => {
        sessions.delete(session);
        if (sessions.size === 0) onEmpty?.();
      });
    },
    retireAll,
    drain(graceMs) {
      return new Promise((resolve) => {
        onEmpty = resolve;
        retireAll();
        if (sessions.size === 0) resolve();
        else setTimeout(resolve, graceMs).unref();
      });
    },
    close() {
      clearInterval(timer);
    },
  };
}
