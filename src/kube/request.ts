import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { ImageCheckerError, messageOf } from '../errors.ts';
import { describeConnection } from './connection.ts';
import type { KubeConnection } from './connection.ts';

export interface KubeRequest {
  readonly method?: 'GET' | 'POST';
  /** With the query string. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Milliseconds from the first byte of the handshake to the last of the answer. */
  readonly timeLimit?: number;
  readonly signal?: AbortSignal;
}

export interface KubeAnswer {
  readonly status: number;
  readonly body: string;
}

const TIME_LIMIT = 10_000;
/** Bytes: a page of 250 pods, of which some carry a lot of annotations. */
const MAX_ANSWER = 64 * 1024 * 1024;

/** @throws {ImageCheckerError} `kube-unreachable` when there is no answer; the signal's reason */
export async function askKube(
  connection: KubeConnection,
  question: KubeRequest,
): Promise<KubeAnswer> {
  return consume(connection, question, async (response) => {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length > MAX_ANSWER) throw new Error(`an answer of more than ${MAX_ANSWER} bytes`);
    }
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
  });
}

/** Sends a request and hands the answer to a reader, which need not read it to the end. */
export async function consume<T>(
  connection: KubeConnection,
  question: KubeRequest,
  read: (response: IncomingMessage) => Promise<T>,
): Promise<T> {
  const timeLimit = question.timeLimit ?? TIME_LIMIT;
  const timeout = AbortSignal.timeout(timeLimit);
  const signals = question.signal === undefined ? [timeout] : [timeout, question.signal];
  let response: IncomingMessage | undefined;
  try {
    response = await send(connection, question, AbortSignal.any(signals));
    return await read(response);
  } catch (thrown) {
    question.signal?.throwIfAborted();
    const got = timeout.aborted ? `none within ${timeLimit / 1000} s` : messageOf(thrown);
    throw unreachable(connection, `expected an answer, got ${got}`, thrown);
  } finally {
    response?.destroy();
  }
}

export function unreachable(
  connection: KubeConnection,
  message: string,
  cause?: unknown,
): ImageCheckerError {
  const problem = { file: describeConnection(connection), message };
  return new ImageCheckerError('kube-unreachable', problem, { cause });
}

function send(
  connection: KubeConnection,
  { method = 'GET', path, body }: KubeRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const options: RequestOptions = {
    ...optionsOf(connection),
    method,
    path: connection.server.pathname.replace(/\/$/, '') + path,
    agent: false, // each request tells whether somebody listens now
    headers: {
      host: connection.server.host,
      accept: 'application/json, text/plain;q=0.9, */*;q=0.1',
      'user-agent': 'image-checker',
      ...(text !== '' && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      }),
      ...(connection.token !== undefined && { authorization: `Bearer ${connection.token}` }),
    },
    signal,
  };
  return new Promise((resolve, reject) => {
    request(options, resolve).on('error', reject).end(text);
  });
}

function optionsOf(connection: KubeConnection): RequestOptions {
  const { server, via, serverName, ca, certificate, key } = connection;
  const host = server.hostname.replace(/^\[|\]$/g, '');
  const name = serverName ?? host;
  return {
    host: via?.host ?? host,
    port: via?.port ?? portOf(server),
    servername: isIP(name) === 0 ? name : '', // RFC 6066: no address is a server name
    checkServerIdentity: (_host, presented) => checkServerIdentity(name, presented),
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
  };
}

export function portOf({ port }: URL): number {
  return port === '' ? 443 : Number(port);
}
