import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ByteBudget } from './byte-budget.ts';
import type { Failure } from './failure.ts';
import type { Lookup } from './lookups.ts';
import { Patience } from './patience.ts';
import { readBody } from './read-body.ts';
import type { BodyRefusal } from './read-body.ts';
import { CLOSED, describeWireFailure, OTHER_PROTOCOL } from './wire-failure.ts';
import type { Progress } from './wire-failure.ts';

export interface WireRequest {
  /** `GET /path`: what it is called in messages. Behind a redirect that is what was asked for first. */
  readonly request: string;
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent: HttpAgent;
  readonly lookup: Lookup;
  /** Bytes of the body of an answer 200; of any other one, only the beginning is read. */
  readonly maxBytes: number;
  readonly budget: ByteBudget;
  readonly signal: AbortSignal;
}

export interface Answer {
  /** Of the server that answered in the end, `host` or `host:port`. */
  readonly host: string;
  readonly origin: string;
  /** `GET /path` of what was asked for first. */
  readonly request: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** Of the Content-Type, without its parameters. */
export function mediaTypeOf({ headers }: Answer): string {
  return (headers['content-type'] ?? '').replace(/;.*/s, '').trim();
}

/** Bytes: what says why something was refused is short. */
const MAX_ERROR_BYTES = 16 * 1024;

/** One request and its answer, whatever the status; no redirects, no second attempts. Never throws. */
export async function exchange(wire: WireRequest): Promise<Answer | Failure> {
  const { request, url, signal } = wire;
  const progress: Progress = {
    request,
    host: url.host,
    isQueued: wire.lookup.isQueued,
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
    const maxBytes = status === 200 ? wire.maxBytes : MAX_ERROR_BYTES;
    const body = await readBody(response, { maxBytes, budget: wire.budget }, (bytes) => {
      patience.heard();
      progress.bytes += bytes;
    });
    if (typeof body === 'string' && status === 200) return refuseBody(wire, progress, body);
    const from = { host: url.host, origin: url.origin, request };
    const bytes = typeof body === 'string' ? new Uint8Array() : body;
    return { ...from, status, headers: response.headers, body: bytes };
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
  const response = await responseTo(sent);
  progress.answered = true;
  patience.guard(response);
  return response;
}

/** Settles however the request ends: one that is upgraded has neither a response nor an error. */
function responseTo(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fail = (code: string): void => {
      reject(Object.assign(new Error('no response'), { code }));
    };
    sent.once('response', resolve);
    // Behind the answer the request may still fail, which the reader of the body is told.
    sent.on('error', reject);
    sent.once('upgrade', (_response, socket) => {
      socket.destroy();
      fail(OTHER_PROTOCOL);
    });
    sent.once('close', () => {
      fail(CLOSED);
    });
  });
}

function start({ url, method, headers, body, agent, lookup }: WireRequest): ClientRequest {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  // Nothing is ever unpacked: a digest is one of bytes as they are, and a few may become very many.
  const always = { 'accept-encoding': 'identity', 'user-agent': 'image-checker' };
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const all = { ...always, ...length, ...headers };
  const sent = send(url, { method, agent, lookup: lookup.find, headers: all });
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

const REFUSALS: Readonly<Record<BodyRefusal, string>> = {
  'too large': 'more',
  'too much around it': 'them with too much around them',
  'no room': 'too much from elsewhere at the same time',
};

function refuseBody(
  { maxBytes }: WireRequest,
  { host, request }: Progress,
  why: BodyRefusal,
): Failure {
  const failed = `${host}: expected at most ${maxBytes} bytes for ${request}, got ${REFUSALS[why]}`;
  return { failed, transient: why === 'no room', isOurs: true };
}
