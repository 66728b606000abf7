import { ImageCheckerError, messageOf } from '../errors.ts';
import type { Log } from '../record/logger.ts';
import type { Limit, TransportMetrics } from '../record/transport-metrics.ts';
import { failureStatus } from './status.ts';
import type { Status } from './status.ts';

/** Thrown by whoever refuses a request before it has become a review. */
export class RequestRefused extends Error {
  readonly statusCode: number;
  /** The limit that was reached, if it is one. */
  readonly limit: Limit | undefined;

  constructor(statusCode: number, message: string, limit?: Limit) {
    super(message);
    this.name = 'RequestRefused';
    this.statusCode = statusCode;
    this.limit = limit;
  }
}

/** Where it is told of what was refused. */
export interface RefusalRecord {
  readonly log: Log;
  readonly metrics: TransportMetrics;
}

/** The only place where an error becomes an HTTP status. */
export function refusalOf(error: unknown, path: string, { log, metrics }: RefusalRecord): Status {
  const { code, message } = answerTo(error);
  metrics.requestRefused(code);
  if (error instanceof RequestRefused && error.limit !== undefined) {
    metrics.limitReached(error.limit);
  }
  if (code >= 500) log.error('a request failed', { error: messageOf(error) });
  else log.info('request refused', { code, path: withoutQuery(path), cause: message });
  return failureStatus(code, message);
}

function answerTo(error: unknown): { readonly code: number; readonly message: string } {
  if (error instanceof ImageCheckerError && error.code === 'review-invalid') {
    return { code: 400, message: `no ImageReview: ${error.message}` };
  }
  if (error instanceof RequestRefused) return { code: error.statusCode, message: error.message };
  return { code: 500, message: 'internal error' };
}

function withoutQuery(path: string): string {
  return (path.split('?', 1)[0] ?? '').slice(0, 200);
}
