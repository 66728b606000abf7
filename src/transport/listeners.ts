import type { RequestListener } from 'node:http';
import { constants, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Express, Request, Response } from 'express';
import { messageOf } from '../errors.ts';
import type { Log } from '../record/logger.ts';
import type { TransportMetrics } from '../record/transport-metrics.ts';
import { CHECK_IMAGE, createApp, createHttp2App } from './app.ts';
import { createClientGate } from './client-gate.ts';
import type { ClientGateDeps } from './client-gate.ts';
import { Http1Exchange, Http2Exchange } from './exchange.ts';
import type { StreamListener } from './http2-session.ts';
import { createReviewRoute } from './review-route.ts';
import type { AnswerReview, ReviewRoute, ReviewRouteDeps } from './review-route.ts';
import type { Listeners } from './tls-server.ts';

export interface ListenersDeps extends ClientGateDeps {
  readonly checkImage: AnswerReview;
  readonly limits: ReviewRouteDeps['limits'];
  readonly load: ReviewRouteDeps['load'];
  readonly metrics: TransportMetrics;
}

/**
 * Who answers on the port for reviews: the Express app, and ahead of it, for the one request that
 * kube-apiserver makes, the very route that is mounted in the app as well.
 */
export function createListeners(deps: ListenersDeps): Listeners {
  const { log, metrics } = deps;
  const clientOf = createClientGate(deps);
  const reviews = createReviewRoute({ ...deps, clientOf });
  return {
    http1: http1Listener(createApp({ clientOf, reviews, log, metrics }), reviews),
    http2: http2Listener(createHttp2App({ clientOf, reviews, log, metrics }), reviews, log),
  };
}

function http1Listener(app: Express, reviews: ReviewRoute): RequestListener {
  return (request, response) => {
    const { method, url, headers } = request;
    if (isPlainReview(method, url, headers)) reviews(new Http1Exchange(request, response));
    else app(request, response);
  };
}

function http2Listener(app: Express, reviews: ReviewRoute, log: Log): StreamListener {
  return (stream, headers, socket) => {
    if (isPlainReview(headers[':method'], headers[':path'], headers)) {
      reviews(new Http2Exchange(stream, headers, socket));
      return;
    }
    try {
      if (isRefusedByProtocol(stream, headers)) return;
      serveByApp(app, stream, headers);
    } catch (thrown) {
      // A client that has gone meanwhile is no failure.
      if (stream.destroyed) return;
      log.error('a request failed', { error: messageOf(thrown) });
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  };
}

interface ReviewHeaders {
  readonly 'content-type'?: string | undefined;
  readonly 'content-encoding'?: string | string[] | undefined;
  readonly expect?: string | string[] | undefined;
}

/** A review as kube-apiserver asks for it; the app knows what to make of every other spelling. */
function isPlainReview(
  method: string | undefined,
  path: string | undefined,
  headers: ReviewHeaders,
): boolean {
  return (
    method === 'POST' &&
    path?.startsWith(CHECK_IMAGE) === true &&
    (path.length === CHECK_IMAGE.length || path[CHECK_IMAGE.length] === '?') &&
    headers['content-type'] === 'application/json' &&
    headers['content-encoding'] === undefined &&
    headers.expect === undefined
  );
}

/** Serves what is no review as the app does for HTTP/1.1. */
function serveByApp(app: Express, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const request = new Http2ServerRequest(stream, headers, {}, []);
  request.headers.host ??= request.headers[':authority'];
  // What Express adds to both it finds by the prototypes that the app puts on them.
  app(request as unknown as Request, new Http2ServerResponse(stream) as unknown as Response);
}

/** What node:http answers itself: a tunnel, and expectations beyond that of a `100 Continue`. */
function isRefusedByProtocol(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  if (headers[':method'] === 'CONNECT' || headers[':path'] === undefined) {
    stream.respond({ ':status': 405 }, { endStream: true });
    return true;
  }
  if (headers.expect === undefined) return false;
  if (headers.expect === '100-continue') {
    stream.additionalHeaders({ ':status': 100 });
    return false;
  }
  stream.respond({ ':status': 417 }, { endStream: true });
  return true;
}
