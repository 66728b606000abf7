import type { ErrorRequestHandler } from 'express';
import { refusalOf } from './refusal.ts';
import type { RefusalRecord } from './refusal.ts';

/** Answers what a route has thrown. */
export function errorMiddleware(record: RefusalRecord): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const refusal = refusalOf(error, request.originalUrl, record);
    if (response.headersSent) next(error);
    else response.status(refusal.code).json(refusal);
  };
}
