import express from 'express';
import type { Express } from 'express';
import helmet from 'helmet';
import type { Readiness } from './readiness.ts';

/** The routes of the admin listener: for probes and operators, plain http, loopback by default. */
export function createAdminApp(readiness: () => Readiness): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.use(helmet());
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', (_request, response) => {
    const state = readiness();
    response.status(state.ready ? 200 : 503).json(state);
  });
  app.use((_request, response) => {
    response.status(404).json({ error: 'expected GET /healthz or GET /readyz' });
  });
  return app;
}
