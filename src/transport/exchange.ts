import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:http2';
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { answerHeaders } from './answer-headers.ts';
import { whenOver } from './when-over.ts';

/** One request and its answer, whatever the protocol. */
export interface Exchange {
  readonly socket: TLSSocket;
  /** As sent, with its query. */
  readonly path: string;
  /** As sent. */
  readonly contentLength: string | undefined;
  readonly body: Readable;
  /**
   * Told when so many bytes of the body have arrived: whether those are all. If so, `body` does not
   * tell of its end before the answer is written.
   */
  holdIfWhole(length: number): boolean;
  /** Sends the answer; nobody gets it when the client has gone. Call it once. */
  answer(status: number, text: string): void;
  /** Calls back once, when the answer is sent or the client has gone. */
  whenOver(callback: () => void): void;
}

const HEADERS = answerHeaders();

/** An exchange by the objects of node:http, or by those that stand in for them in HTTP/2. */
export class Http1Exchange implements Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  get socket(): TLSSocket {
    return this.#request.socket as TLSSocket;
  }

  get path(): string {
    return this.#request.url ?? '';
  }

  get contentLength(): string | undefined {
    return this.#request.headers['content-length'];
  }

  get body(): Readable {
    return this.#request;
  }

  /** Node tells of the end in the same turn. */
  holdIfWhole(): boolean {
    return false;
  }

  answer(status: number, text: string): void {
    if (this.#response.destroyed || this.#response.headersSent) return;
    const length = String(Buffer.byteLength(text));
    this.#response.writeHead(status, [...HEADERS, 'Content-Length', length]);
    this.#response.end(text);
  }

  whenOver(callback: () => void): void {
    whenOver(this.#request, this.#response, callback);
  }
}

const HTTP2_HEADERS: OutgoingHttpHeaders = Object.fromEntries(
  HEADERS.flatMap((name, index) => {
    return index % 2 === 0 ? [[name.toLowerCase(), HEADERS[index + 1]]] : [];
  }),
);

/** For nobody. */
const LEFT = Buffer.alloc(1);

/** An exchange by a stream of HTTP/2. */
export class Http2Exchange implements Exchange {
  readonly socket: TLSSocket;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  #isHeld = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, socket: TLSSocket) {
    this.socket = socket;
    this.#stream = stream;
    this.#headers = headers;
  }

  get path(): string {
    return this.#headers[':path'] ?? '';
  }

  get contentLength(): string | undefined {
    return this.#headers['content-length'];
  }

  get body(): Readable {
    return this.#stream;
  }

  /**
   * The client is held to the length that it gave. Then something is left to read until the answer
   * is written: a stream that has been read to its end is destroyed by Node when its last frame is
   * made up, before that is written, and an error is made of it, which costs more than the decision.
   */
  holdIfWhole(length: number): boolean {
    if (this.contentLength !== String(length)) return false;
    this.#isHeld = true;
    this.#stream.pause();
    this.#stream.unshift(LEFT);
    return true;
  }

  answer(status: number, text: string): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.headersSent) return;
    if (stream.closed) {
      this.#letGo();
      return;
    }
    stream.respond({ ':status': status, ...HTTP2_HEADERS });
    if (!stream.readableEnded) {
      stream.once('finish', () => {
        this.#letGo();
      });
    }
    stream.end(text);
  }

  #letGo(): void {
    if (this.#isHeld) this.#stream.resume();
    // What is left of a body that nobody wants to read is not waited for.
    else this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  whenOver(callback: () => void): void {
    this.#stream.on('close', callback);
  }
}
