/*
 * What a connection may cost. kube-apiserver, the one caller, sends a handful of headers at once,
 * gives up on a review after 30 s, and keeps an idle connection for 90 s; who needs more than this
 * is not it.
 */

/** Longer than the 90 s for which Go's client, kube-apiserver's, keeps an idle connection. */
export const KEEP_ALIVE_MS = 120_000;
/** Mutual TLS with RSA takes milliseconds; what takes longer holds a slot open. */
export const HANDSHAKE_MS = 10_000;
export const HEADERS_MS = 10_000;
/** From the head of a request to the last byte of its body. */
export const REQUEST_MS = 20_000;
/** Without a byte to or from the client: it has given up, or it never reads its answer. */
export const STALLED_MS = 30_000;
/** How often it is looked for what is over these times; Node's own default is 30 s. */
export const CHECK_MS = 1000;
export const MAX_HEADER_BYTES = 16 * 1024;
/** What a stop waits for before it cuts what is left. */
export const STOP_MS = 10_000;
