import { request } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { ImageCheckerError, messageOf } from '../errors.ts';
import { readAnswer } from './answer.ts';
import type { ServiceAnswer } from './answer.ts';
import { reviewOf } from './review.ts';
import type { Question } from './review.ts';

/** Where a service is and how to prove who asks; PEM texts. */
export interface ServiceAddress {
  readonly url: URL;
  /** The name that its certificate has to have, when it is not the host of the URL. */
  readonly serverName?: string;
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/** Milliseconds from the first byte of the handshake to the last of the answer. */
const TIME_LIMIT = 10_000;
/** Bytes: the answer holds the spec again and little else. */
const MAX_ANSWER = 8 * 1024 * 1024;

/**
 * Asks a running service as kube-apiserver does, over mutual TLS.
 *
 * @throws {ImageCheckerError} `usage` when there is no answer to the question
 */
export async function askService(
  address: ServiceAddress,
  question: Question,
): Promise<ServiceAnswer> {
  try {
    const { status, body } = await post(address, JSON.stringify(reviewOf(question)));
    return readAnswer(status, body);
  } catch (thrown) {
    const message = `expected an answer, got ${explain(thrown)}`;
    throw new ImageCheckerError('usage', { file: address.url.href, message }, { cause: thrown });
  }
}

interface Response {
  readonly status: number;
  readonly body: string;
}

async function post(address: ServiceAddress, body: string): Promise<Response> {
  const signal = AbortSignal.timeout(TIME_LIMIT);
  const response = await send(body, address.url, {
    method: 'POST',
    agent: false,
    cert: address.certificate,
    key: address.key,
    ca: address.ca,
    ...(address.serverName !== undefined && expecting(address.serverName)),
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    signal,
  });
  return { status: response.statusCode ?? 0, body: await readBody(response) };
}

/** A certificate for a name that is not the host of the URL. */
function expecting(name: string): RequestOptions {
  return {
    // RFC 6066: an address is no server name.
    ...(isIP(name) === 0 && { servername: name }),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  };
}

function send(body: string, url: URL, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, options, resolve).on('error', reject).end(body);
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > MAX_ANSWER) throw new Error(`an answer of more than ${MAX_ANSWER} bytes`);
  }
  return Buffer.concat(chunks).toString();
}

function explain(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null && 'name' in thrown) {
    if (thrown.name === 'AbortError' || thrown.name === 'TimeoutError') {
      return `none within ${TIME_LIMIT / 1000} s`;
    }
  }
  return messageOf(thrown);
}
