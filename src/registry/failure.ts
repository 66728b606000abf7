import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';

/** Why one request was not answered. */
export interface Failure {
  /** `host: expected X, got Y`; no secrets, no query of any URL. */
  readonly failed: string;
  readonly hint?: string;
  /** The same request may well be answered a moment later. */
  readonly transient: boolean;
  /** It met a limit of ours. */
  readonly isOurs?: boolean;
  /** Milliseconds that the server asks to wait for. */
  readonly retryAfter?: number;
}

export function isFailure(value: object): value is Failure {
  return 'failed' in value;
}

/** Nothing is known: what was asked for could not be found out. */
export function unavailable(message: string, hint?: string): ImageCheckerError {
  return new ImageCheckerError('registry-unavailable', problemOf(message, hint));
}

/** Nothing is known, by a limit of ours: whoever makes images and pods decides what meets it. */
export function limited(message: string, hint?: string): ImageCheckerError {
  return new ImageCheckerError('registry-limited', problemOf(message, hint));
}

/** What was answered contradicts itself. */
export function corrupt(message: string): ImageCheckerError {
  return new ImageCheckerError('registry-corrupt', problemOf(message));
}

function problemOf(message: string, hint?: string): Problem {
  return hint === undefined ? { message } : { message, hint };
}
