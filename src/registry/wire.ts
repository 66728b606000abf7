import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import type { Failure } from './failure.ts';
import { Patience } from './patience.ts';
import { describeWireFailure } from './wire-failure.ts';
import type { Progress } from './wire-failure.ts';

export interface WireRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent: HttpAgent;
  /** Bytes of the body of an answer 200; of any other one, only the beginning is read. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface Answer {
  /** Of the server that answered in the end, `host` or `host:port`. */
  readonly host: string;
  readonly origin: string;
  /** `GET /path` */
  readonly request: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** Bytes: what says why something was refused is short. */
const MAX_ERROR_BYTES = 16 * 1024;

/** One request and its answer, whatever the status; no redirects, no second attempts. Never throws. */
export async function exchange(wire: WireRequest): Promise<Answer | Failure> {
  const { url, method, signal } = wire;
  const request = `${method} ${url.pathname}`;
  const progress: Progress = {
    request,
    host: url.host,
    connected: false,
    answered: false,
    bytes: 0,
  };
  const patience = new Patience(signal);
  try {
    const response = await open(wire, patience, progress);
    const status = response.statusCode ?? 0;
    const refused = refuseEncoding(response, progress);
    if (refused !== undefined) return refused;
    const body = await readBody(
      response,
      status === 200 ? wire.maxBytes : MAX_ERROR_BYTES,
      patience,
      progress,
    );
    if (body === undefined && status === 200) return tooLarge(wire, progress);
    const from = { host: url.host, origin: url.origin, request };
    return { ...from, status, headers: response.headers, body: body ?? new Uint8Array() };
  } catch (thrown) {
    return describeWireFailure(thrown, progress, patience.lost);
  } finally {
    patience.end();
  }
}

async function open(
  wire: WireRequest,
  patience: Patience,
  progress: Progress,
): Promise<IncomingMessage> {
  const sent = start(wire);
  patience.guard(sent);
  sent.on('socket', (socket) => {
    const ready = wire.url.protocol === 'https:' ? 'secureConnect' : 'connect';
    if (sent.reusedSocket) progress.connected = true;
    else socket.once(ready, () => (progress.connected = true));
  });
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  progress.answered = true;
  // Behind the answer the request may still fail, which the reader of the body is told.
  sent.on('error', () => undefined);
  patience.guard(response);
  return response;
}

function start({ url, method, headers, body, agent }: WireRequest): ClientRequest {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  // Nothing is ever unpacked: a digest is one of bytes as they are, and a few may become very many.
  const always = { 'accept-encoding': 'identity', 'user-agent': 'image-checker' };
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const sent = send(url, { method, agent, headers: { ...always, ...length, ...headers } });
  sent.end(body);
  return sent;
}

function refuseEncoding(response: IncomingMessage, progress: Progress): Failure | undefined {
  const encoding = response.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return undefined;
  response.on('error', () => undefined).destroy();
  const failed = `${progress.host}: expected an answer to ${progress.request} that is not packed, got a content-encoding`;
  return { failed, transient: false };
}

/** Undefined when there is more than the limit; the connection is given up then. */
async function readBody(
  response: IncomingMessage,
  limit: number,
  patience: Patience,
  progress: Progress,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    patience.heard();
    progress.bytes += chunk.length;
    if (progress.bytes > limit) return undefined; // leaving the loop destroys the response
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge({ maxBytes }: WireRequest, { host, request }: Progress): Failure {
  const failed = `${host}: expected at most ${maxBytes} bytes for ${request}, got more`;
  return { failed, transient: false };
}
