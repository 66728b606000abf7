import express from 'express';
import type { ErrorRequestHandler, Express } from 'express';
import { messageOf } from '../errors.ts';
import type { Log } from '../record/logger.ts';
import { secureHeaders } from './answer-headers.ts';
import type { Readiness } from './readiness.ts';

export interface AdminDeps {
  readonly readiness: () => Readiness;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  readonly log: Log;
}

/** The routes of the admin listener: for probes and operators, plain http, loopback by default. */
export function createAdminApp({ readiness, metrics, log }: AdminDeps): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.use(secureHeaders);
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', (_request, response) => {
    const state = readiness();
    response.status(state.ready ? 200 : 503).json(state);
  });
  app.get('/metrics', async (_request, response) => {
    response.set('Content-Type', metrics.contentType).send(await metrics.metrics());
  });
  app.use((_request, response) => {
    response.status(404).json({ error: 'expected GET /healthz, GET /readyz or GET /metrics' });
  });
  app.use(answerFailure(log));
  return app;
}

/** Express itself would answer with a stack trace. */
function answerFailure(log: Log): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    log.error('a request to the admin listener failed', { error: messageOf(error) });
    if (response.headersSent) next(error);
    else response.status(500).json({ error: 'internal error' });
  };
}
