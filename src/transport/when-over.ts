import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What waits for the end of each connection. */
const waiting = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back once, when a response is over: sent, or its connection gone. The `close` of the
 * response alone does not tell: one that waits behind another of its connection (pipelining) gets
 * none when the connection goes.
 */
export function whenOver(
  request: IncomingMessage,
  response: ServerResponse & Overseen,
  callback: () => void,
): void {
  const known = response[CALLBACKS];
  if (known !== undefined) {
    known.push(callback);
    return;
  }
  const callbacks = [callback];
  response[CALLBACKS] = callbacks;
  const open = waitingFor(request.socket);
  const over = (): void => {
    if (!open.delete(over)) return;
    for (const each of callbacks) each();
  };
  open.add(over);
  response.on('close', over);
}

const CALLBACKS = Symbol('callbacks');

/** A response is asked for its end more than once. */
interface Overseen {
  [CALLBACKS]?: (() => void)[];
}

/** One listener a connection, however many requests it carries. */
function waitingFor(socket: Socket): Set<() => void> {
  const known = waiting.get(socket);
  if (known !== undefined) return known;
  const callbacks = new Set<() => void>();
  waiting.set(socket, callbacks);
  socket.once('close', () => {
    for (const over of [...callbacks]) over();
  });
  return callbacks;
}
