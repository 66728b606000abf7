import type { ErrorRequestHandler } from 'express';
import { ImageCheckerError, messageOf } from '../errors.ts';
import type { Log } from '../record/logger.ts';
import { failureStatus } from './status.ts';

/** Thrown by a route that refuses a request before it has become a review. */
export class RequestRefused extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.name = 'RequestRefused';
    this.statusCode = statusCode;
  }
}

interface Answer {
  readonly code: number;
  readonly message: string;
}

/** The only place where an error becomes an HTTP status. */
export function errorMiddleware(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const { code, message } = answerTo(error);
    if (code >= 500) log.error('a request failed', { error: messageOf(error) });
    else log.info('request refused', { code, path: request.path.slice(0, 200), cause: message });
    response.status(code).json(failureStatus(code, message));
  };
}

function answerTo(error: unknown): Answer {
  if (error instanceof ImageCheckerError && error.code === 'review-invalid') {
    return { code: 400, message: `no ImageReview: ${error.message}` };
  }
  if (error instanceof RequestRefused) return { code: error.statusCode, message: error.message };
  return answerToBodyReader(error) ?? { code: 500, message: 'internal error' };
}

/** What express.raw throws (http-errors with a `type`). */
function answerToBodyReader(error: unknown): Answer | undefined {
  if (!(error instanceof Error) || !('type' in error)) return undefined;
  switch (error.type) {
    case 'entity.too.large':
      return { code: 413, message: `expected a body of at most ${limitOf(error)} bytes` };
    case 'encoding.unsupported':
      return { code: 415, message: 'expected a body without Content-Encoding' };
    case 'request.aborted':
    case 'request.size.invalid':
      return { code: 400, message: 'expected a whole body, the connection ended before it' };
    default:
      return undefined;
  }
}

function limitOf(error: Error): string {
  return 'limit' in error ? String(error.limit) : 'the allowed number of';
}
