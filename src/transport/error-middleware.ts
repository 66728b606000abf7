import type { ErrorRequestHandler } from 'express';
import type { Log } from '../record/logger.ts';
import { refusalOf } from './refusal.ts';

/** Answers what a route has thrown. */
export function errorMiddleware(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const refusal = refusalOf(error, request.originalUrl, log);
    if (response.headersSent) next(error);
    else response.status(refusal.code).json(refusal);
  };
}
