import { constants, performServerHandshake } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { KEEP_ALIVE_MS, MAX_HEADER_BYTES, REQUEST_MS, STALLED_MS } from './limits.ts';

/** Serves one request of HTTP/2. */
export type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  socket: TLSSocket,
) => void;

/** One connection of HTTP/2. */
export interface Session {
  /** Cuts what is over its time. @param now milliseconds, of `performance.now()` */
  check(now: number): void;
  /** Lets the streams that are open finish, and has the client take another connection for more. */
  retire(): void;
  onClose(callback: () => void): void;
}

/** Go's own server allows as many; what is more waits in the client, or takes another connection. */
const MAX_STREAMS = 250;
/** What a stream that was cut has to be gone in, before its connection is cut. */
const CUT_MS = 5000;

const OPTIONS = {
  maxHeaderListPairs: 64,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  settings: {
    enablePush: false,
    maxConcurrentStreams: MAX_STREAMS,
    maxHeaderListSize: MAX_HEADER_BYTES,
  },
};

/** @param short whether the connection is to end with the first request on it */
export function openSession(socket: TLSSocket, listener: StreamListener, short: boolean): Session {
  const session = performServerHandshake(socket, OPTIONS);
  // The oldest first, with the time at which each began.
  const streams = new Map<ServerHttp2Stream, number>();
  let lastUsed = performance.now();
  let retired = false;
  const retire = (): void => {
    if (retired || session.destroyed) return;
    retired = true;
    // A GOAWAY that names the last stream that is served: what the client has begun beyond it, it
    // may begin again elsewhere, and Go's client does so by itself.
    session.close();
  };
  // Each is followed by the end of what it belongs to, which is all that is to be done about it.
  session.on('error', ignore);
  session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', ignore);
    streams.set(stream, performance.now());
    stream.once('close', () => {
      streams.delete(stream);
      lastUsed = performance.now();
    });
    if (short) retire();
    listener(stream, headers, socket);
  });
  return {
    retire,
    check(now) {
      if (cutOverdue(streams, now)) session.destroy();
      else if (streams.size === 0 && now - lastUsed > KEEP_ALIVE_MS) retire();
    },
    onClose(callback) {
      session.once('close', callback);
    },
  };
}

function ignore(): void {
  // Nothing is left to do.
}

/** Whether a stream is left that did not go when it was cut. */
function cutOverdue(streams: ReadonlyMap<ServerHttp2Stream, number>, now: number): boolean {
  for (const [stream, began] of streams) {
    const limit = stream.readableEnded ? STALLED_MS : REQUEST_MS;
    const over = now - began - limit;
    if (over > CUT_MS) return true;
    if (over > 0) stream.close(constants.NGHTTP2_CANCEL);
    else if (now - began < REQUEST_MS) break;
  }
  return false;
}
