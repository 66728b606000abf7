import { constants, performServerHandshake } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { createBudget } from './http2-budget.ts';
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
/** In a check's time, on a connection without a stream: what is there to say costs some bytes. */
const IDLE_BYTES = 64 * 1024;
/** What is cut or ended has to be gone after this, or its connection is cut. */
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

export interface SessionOptions {
  /** Whether the connection is to end with the first request on it. */
  readonly short: boolean;
  /** Called when it is cut because it asks for nothing, and much of it. */
  readonly flooded: () => void;
}

export function openSession(
  socket: TLSSocket,
  listener: StreamListener,
  { short, flooded }: SessionOptions,
): Session {
  const session = performServerHandshake(socket, OPTIONS);
  // The oldest first, with the time at which each began.
  const streams = new Map<ServerHttp2Stream, number>();
  let lastUsed = performance.now();
  const spend = createBudget(lastUsed);
  const charge = (): void => {
    if (session.destroyed || spend(performance.now())) return;
    flooded();
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
  // Since the last check.
  let used = false;
  let bytesRead = socket.bytesRead;
  let retired = false;
  let endedAt: number | undefined;
  const retire = (): void => {
    if (retired || session.destroyed) return;
    retired = true;
    // A GOAWAY that names the last stream that is served: what the client has begun beyond it, it
    // may begin again elsewhere, and Go's client does so by itself.
    session.close();
  };
  // Each is followed by the end of what it belongs to, which is all that is to be done about it.
  session.on('error', ignore);
  session.on('ping', charge).on('remoteSettings', charge).on('priority', charge);
  session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', ignore);
    streams.set(stream, performance.now());
    used = true;
    stream.on('close', () => {
      streams.delete(stream);
      used = true;
      lastUsed = performance.now();
      const isServed = stream.rstCode === constants.NGHTTP2_NO_ERROR && stream.headersSent;
      if (!isServed) charge();
    });
    if (short) retire();
    listener(stream, headers, socket);
  });
  return {
    retire,
    check(now) {
      // A session that is over ends its side of the connection, and leaves the other to the peer.
      if (session.destroyed) {
        endedAt ??= now;
        if (now - endedAt > CUT_MS) socket.destroy();
        return;
      }
      const idle = !used && streams.size === 0;
      const chatty = idle && socket.bytesRead - bytesRead > IDLE_BYTES;
      bytesRead = socket.bytesRead;
      used = false;
      dropTakenBack(streams);
      if (chatty || cutOverdue(streams, now)) session.destroy();
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

/** A client that takes its review back when the answer waits to be written: Node tells nobody. */
function dropTakenBack(streams: ReadonlyMap<ServerHttp2Stream, number>): void {
  for (const stream of streams.keys()) {
    if (stream.closed && stream.headersSent) stream.destroy();
  }
}

/** Whether a stream is left that did not go when it was cut. */
function cutOverdue(streams: ReadonlyMap<ServerHttp2Stream, number>, now: number): boolean {
  for (const [stream, began] of streams) {
    // One whose body is whole may be held before its end.
    const isWhole = stream.readableEnded || stream.isPaused();
    const limit = isWhole ? STALLED_MS : REQUEST_MS;
    const over = now - began - limit;
    if (over > CUT_MS) return true;
    if (over > 0) stream.close(constants.NGHTTP2_CANCEL);
    else if (now - began < REQUEST_MS) break;
  }
  return false;
}
