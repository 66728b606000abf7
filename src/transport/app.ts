import type { TLSSocket } from 'node:tls';
import express from 'express';
import type { Express, Request, RequestHandler } from 'express';
import helmet from 'helmet';
import type { CheckImage } from '../check-image.ts';
import type { Log } from '../record/logger.ts';
import { identityOf } from './client-identity.ts';
import { errorMiddleware, RequestRefused } from './error-middleware.ts';
import { whenOver } from './when-over.ts';

export interface AppDeps {
  readonly checkImage: CheckImage;
  /** Names of which the client certificate has to carry one. */
  readonly allowedClients: readonly string[];
  readonly limits: { readonly bodyBytes: number; readonly inFlight: number };
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

const CHECK_IMAGE = '/check-image';

/** The routes that kube-apiserver sees, for a server that verifies client certificates. */
export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  app.enable('case sensitive routing').enable('strict routing');
  app.use(helmet());
  app.use(requireAllowedClient(deps));
  app
    .route(CHECK_IMAGE)
    .post(
      limitInFlight(deps.limits.inFlight),
      express.raw({ type: isJson, limit: deps.limits.bodyBytes, inflate: false }),
      answerReview(deps),
    )
    .all(refuseMethod);
  app.use(refusePath);
  app.use(errorMiddleware(deps.log));
  return app;
}

/** The TLS layer has verified the certificate; here its name is held against the list. */
function requireAllowedClient({ allowedClients, log, clock }: AppDeps): RequestHandler {
  return (request, response, next) => {
    const identity = identityOf(request.socket as TLSSocket);
    const client = identity?.names.find((name) => allowedClients.includes(name));
    if (identity === undefined || client === undefined || clock() > identity.validTo) {
      log.warn('client refused', {
        names: identity?.names.slice(0, 20).map((name) => name.slice(0, 200)) ?? [],
        address: request.socket.remoteAddress,
        cause: client === undefined ? 'name not allowed' : 'certificate expired',
      });
      throw new RequestRefused(403, 'this client certificate is not allowed to ask');
    }
    response.locals['client'] = client;
    next();
  };
}

/** More than can be answered in time is shed: kube-apiserver asks again after a 429. */
function limitInFlight(limit: number): RequestHandler {
  let inFlight = 0;
  return (request, response, next) => {
    if (inFlight >= limit) {
      throw new RequestRefused(429, `more than ${limit} reviews are in flight`);
    }
    inFlight++;
    whenOver(request, response, () => inFlight--);
    next();
  };
}

function isJson(request: { readonly headers: Request['headers'] }): boolean {
  const type = request.headers['content-type'] ?? '';
  return type.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
}

function answerReview({ checkImage }: AppDeps): RequestHandler {
  return (request, response) => {
    const body: unknown = request.body;
    if (!isJson(request)) {
      throw new RequestRefused(415, 'expected Content-Type: application/json');
    }
    response.json(
      checkImage(Buffer.isBuffer(body) ? body : EMPTY, String(response.locals['client'])),
    );
  };
}

/** express.raw leaves the body out when the request has none. */
const EMPTY = Buffer.alloc(0);

const refuseMethod: RequestHandler = (request, response) => {
  response.set('Allow', 'POST');
  throw new RequestRefused(405, `expected POST ${CHECK_IMAGE}, got ${request.method}`);
};

const refusePath: RequestHandler = () => {
  throw new RequestRefused(404, `expected POST ${CHECK_IMAGE}, there is nothing else here`);
};
