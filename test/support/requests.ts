import { once } from 'node:events';
import type { Agent, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { connect as connectSession } from 'node:http2';
import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2';
import { request } from 'node:https';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import type { Credential } from '../../src/setup/pki.ts';

/** Who asks, and where. */
export interface Caller {
  /** 127.0.0.1 when it is not said. */
  readonly host?: string;
  readonly port: number;
  /** PEM of the CA that verifies the service. */
  readonly ca: string;
  readonly credential?: Credential;
}

export interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly agent?: Agent;
  /** HTTP/1.1 when it is not said. */
  readonly protocol?: Protocol;
}

export const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Whether the connection had carried a request before. */
  readonly reused: boolean;
}

/** The path with the query that kube-apiserver always sends. */
export const PATH = '/check-image?timeout=30s';

/** Of the others Node sends a body without saying how long it is. */
const WITH_BODY = ['POST', 'PUT', 'PATCH'];

/** A body as kube-apiserver sends it. */
export function reviewOf(images: readonly unknown[], spec: object = {}): string {
  const containers = images.map((image) => ({ image }));
  return `${JSON.stringify({
    kind: 'ImageReview',
    apiVersion: 'imagepolicy.k8s.io/v1alpha1',
    metadata: { creationTimestamp: null },
    spec: { containers, ...spec, namespace: 'default' },
    status: { allowed: false },
  })}\n`;
}

/** Asks over https, on a connection of its own unless an agent is given; rejects when no answer comes. */
export function ask(caller: Caller, question: Question = {}): Promise<Answer> {
  if (question.protocol === 'HTTP/2') return askOverHttp2(caller, question);
  const { method = 'POST', path = PATH, headers, body = reviewOf(['docker.io/nginx']) } = question;
  return new Promise((resolve, reject) => {
    const asked = request({
      ...tlsOptions(caller),
      method,
      path,
      headers: headers ?? { 'Content-Type': 'application/json' },
      agent: question.agent ?? false,
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', reject).on('end', () => {
        const { statusCode = 0 } = response;
        resolve({
          status: statusCode,
          headers: response.headers,
          text,
          reused: asked.reusedSocket,
        });
      });
    });
    asked.end(WITH_BODY.includes(method) ? body : undefined);
  });
}

async function askOverHttp2(caller: Caller, question: Question): Promise<Answer> {
  const session = connectHttp2(caller);
  try {
    return await askOn(session, question);
  } finally {
    session.destroy();
  }
}

/** A connection of HTTP/2; what happens to it is for the test to look at, not to crash on. */
export function connectHttp2(
  caller: Caller,
  options: SecureClientSessionOptions = {},
): ClientHttp2Session {
  const session = connectSession('https://127.0.0.1', { ...tlsOptions(caller), ...options });
  return session.on('error', () => undefined);
}

/** Asks on a connection of HTTP/2; rejects when no answer comes. */
export function askOn(session: ClientHttp2Session, question: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'POST', body = reviewOf(['docker.io/nginx']) } = question;
    const stream = session.request(headersOf(question, body));
    let headers: IncomingHttpHeaders & { ':status'?: number } = {};
    let text = '';
    stream.on('response', (received) => (headers = received as typeof headers));
    stream.setEncoding('utf8').on('data', (part: string) => (text += part));
    stream.on('error', reject).on('close', () => {
      const status = headers[':status'];
      if (status === undefined) reject(new Error('no answer'));
      else resolve({ status, headers, text, reused: false });
    });
    session.once('error', reject);
    stream.end(WITH_BODY.includes(method) ? body : undefined);
  });
}

/** Chunks are how HTTP/1.1 says that it does not say how long a body is. */
function headersOf(
  { method = 'POST', path = PATH, headers }: Question,
  body: string | Uint8Array,
): OutgoingHttpHeaders {
  const { 'Transfer-Encoding': chunked, ...rest } = headers ?? {
    'Content-Type': 'application/json',
  };
  const withLength = chunked === undefined && WITH_BODY.includes(method);
  return {
    ...rest,
    ...(withLength && { 'content-length': Buffer.byteLength(body) }),
    ':method': method,
    ':path': path,
  };
}

/** The status of the answer, or `no answer`. */
export async function outcome(caller: Caller, question?: Question): Promise<number | 'no answer'> {
  try {
    return (await ask(caller, question)).status;
  } catch {
    return 'no answer';
  }
}

/** An open TLS connection; rejects when the handshake fails on the client's side. */
export async function openConnection(
  caller: Caller,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({ ...tlsOptions(caller), ...options });
  await once(socket, 'secureConnect');
  // What happens to it later is for the test to look at, not to crash on.
  socket.on('error', () => undefined);
  return socket;
}

function tlsOptions(caller: Caller): ConnectionOptions & { host: string; port: number } {
  const { host = '127.0.0.1', port, ca, credential } = caller;
  return {
    host,
    // The name in the certificate, wherever the service is.
    ...(caller.host !== undefined && { servername: 'localhost' }),
    port,
    ca,
    ...(credential && { cert: credential.certificate, key: credential.key }),
  };
}

/** Writes bytes as they are and returns all that comes back until the other side is done. */
export async function exchange(caller: Caller, text: string | Uint8Array): Promise<string> {
  const socket = await openConnection(caller);
  socket.write(text);
  return readAll(socket);
}

/** All that comes from a connection until it is closed. */
export function readAll(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.once('close', () => {
      resolve(text);
    });
  });
}

/** The head of a request whose body is still to come. */
export function headOf(contentLength: number): string {
  return [
    `POST ${PATH} HTTP/1.1`,
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${contentLength}`,
    '\r\n',
  ].join('\r\n');
}
