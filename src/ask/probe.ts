import type { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { request } from 'node:https';
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { reviewOf } from './review.ts';
import type { Question } from './review.ts';

/** Whom to probe, as the kubeconf of the plugin has it. */
export interface ProbeTarget {
  readonly url: URL;
  readonly serverName?: string;
  /** Absent: the machine's own CAs. */
  readonly ca?: string;
}

export interface ProbeClient {
  readonly certificate: string;
  readonly key: string;
}

const HTTPS_PORT = 443;

function hostOf({ url }: ProbeTarget): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function portOf({ url }: ProbeTarget): number {
  return url.port === '' ? HTTPS_PORT : Number(url.port);
}

/** The addresses of its host, looked up as this machine does it. @throws {Error} */
export async function resolveHost(target: ProbeTarget, timeout: number): Promise<string[]> {
  const host = hostOf(target);
  if (isIP(host) !== 0) return [host];
  const found = await within(timeout, lookup(host, { all: true }));
  return found.map(({ address }) => address);
}

/** That somebody listens. @throws {Error} */
export async function probeTcp(target: ProbeTarget, timeout: number): Promise<void> {
  const socket = connectTcp({ host: hostOf(target), port: portOf(target) });
  await within(timeout, untilEvent(socket, 'connect')).finally(() => socket.destroy());
}

/** What a handshake showed. */
export interface Handshake {
  readonly protocol: string;
  readonly certificate: X509Certificate | undefined;
  /** Why its certificate leads to no CA that is trusted; undefined when it does. */
  readonly distrust: string | undefined;
}

/** A handshake that goes through whatever the certificate of the service. @throws {Error} */
export async function probeTls(
  target: ProbeTarget,
  options: ConnectionOptions,
  timeout: number,
): Promise<Handshake> {
  const host = hostOf(target);
  const name = target.serverName ?? host;
  const socket = connectTls({
    ...options,
    host,
    port: portOf(target),
    // RFC 6066: an address is no server name.
    ...(isIP(name) === 0 && { servername: name }),
    ...(target.ca !== undefined && { ca: target.ca }),
    rejectUnauthorized: false,
    // That is asked as Go does it, not as Node.
    checkServerIdentity: () => undefined,
  });
  try {
    await within(timeout, untilEvent(socket, 'secureConnect'));
    return describe(socket);
  } finally {
    socket.destroy();
  }
}

function describe(socket: TLSSocket): Handshake {
  // An error by the declarations, its code in truth.
  const error: unknown = socket.authorizationError;
  return {
    protocol: socket.getProtocol() ?? 'none',
    certificate: socket.getPeerX509Certificate(),
    distrust: socket.authorized ? undefined : String(error),
  };
}

/** An answer as it came, whatever it is. */
export interface RawAnswer {
  readonly status: number;
  readonly body: string;
  /** Its Date header. */
  readonly date: string | undefined;
}

const MAX_ANSWER = 1024 * 1024;

/** Sends a review as kube-apiserver does, to whoever answers there. @throws {Error} */
export function probeAnswer(
  target: ProbeTarget,
  client: ProbeClient | undefined,
  question: Question,
  timeout: number,
): Promise<RawAnswer> {
  const body = JSON.stringify(reviewOf(question));
  const name = target.serverName ?? hostOf(target);
  const sent = request(target.url, {
    method: 'POST',
    agent: false,
    ...(client && { cert: client.certificate, key: client.key }),
    ...(target.ca !== undefined && { ca: target.ca }),
    ...(isIP(name) === 0 && { servername: name }),
    // Whether it is trusted is a check of its own.
    rejectUnauthorized: false,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    signal: AbortSignal.timeout(timeout),
  });
  return new Promise((resolve, reject) => {
    sent.on('error', reject).on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => {
        text += more;
        if (text.length > MAX_ANSWER) sent.destroy(new Error('an answer without end'));
      });
      response.on('error', reject).on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: text, date: response.headers.date });
      });
    });
    sent.end(body);
  });
}

function untilEvent(socket: Socket, name: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(name, resolve).once('error', reject);
    socket.once('close', () => {
      reject(new Error('the connection was closed'));
    });
  });
}

/** @throws {Error} when it takes longer, in milliseconds */
async function within<T>(timeout: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`nothing within ${timeout / 1000} s`));
    }, timeout);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
