import { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import express from 'express';
import type { Express, Request, RequestHandler } from 'express';
import { secureHeaders } from './answer-headers.ts';
import type { ClientGate } from './client-gate.ts';
import { errorMiddleware } from './error-middleware.ts';
import { Http1Exchange } from './exchange.ts';
import { RequestRefused } from './refusal.ts';
import type { RefusalRecord } from './refusal.ts';
import type { ReviewRoute } from './review-route.ts';

export interface AppDeps extends RefusalRecord {
  readonly clientOf: ClientGate;
  readonly reviews: ReviewRoute;
}

export const CHECK_IMAGE = '/check-image';

/** The routes that kube-apiserver sees, for a server that verifies client certificates. */
export function createApp({ clientOf, reviews, ...record }: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  app.enable('case sensitive routing').enable('strict routing');
  app.use(secureHeaders);
  app.use((request, _response, next) => {
    clientOf(request.socket as TLSSocket);
    next();
  });
  app
    .route(CHECK_IMAGE)
    .post(requirePlainJson, (request, response) => {
      reviews(new Http1Exchange(request, response));
    })
    .all(refuseMethod);
  app.use(refusePath);
  app.use(errorMiddleware(record));
  return app;
}

/**
 * The same routes for the objects that stand in for requests and responses in HTTP/2. Express gives
 * each object the prototype that its app names, and those of node:http break HTTP/2.
 */
export function createHttp2App(deps: AppDeps): Express {
  const app = createApp(deps);
  app.request = rebase(app.request, Http2ServerRequest.prototype);
  app.response = rebase(app.response, Http2ServerResponse.prototype);
  return app;
}

/** What an app adds to requests (its own, and Express's below it), over another kind of request. */
function rebase<T extends object>(ofApp: T, prototype: object): T {
  const ofExpress = Object.getPrototypeOf(ofApp) as object;
  return Object.create(prototype, {
    ...Object.getOwnPropertyDescriptors(ofExpress),
    ...Object.getOwnPropertyDescriptors(ofApp),
  }) as T;
}

const requirePlainJson: RequestHandler = (request, _response, next) => {
  if (!isJson(request.headers)) {
    throw new RequestRefused(415, 'expected Content-Type: application/json');
  }
  const coding = request.headers['content-encoding'] ?? 'identity';
  if (coding.toLowerCase() !== 'identity') {
    throw new RequestRefused(415, 'expected a body without Content-Encoding');
  }
  next();
};

function isJson(headers: Request['headers']): boolean {
  const type = headers['content-type'] ?? '';
  return type.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
}

const refuseMethod: RequestHandler = (request, response) => {
  response.set('Allow', 'POST');
  throw new RequestRefused(405, `expected POST ${CHECK_IMAGE}, got ${request.method}`);
};

const refusePath: RequestHandler = () => {
  throw new RequestRefused(404, `expected POST ${CHECK_IMAGE}, there is nothing else here`);
};
