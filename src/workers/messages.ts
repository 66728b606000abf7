import type { Readiness } from '../transport/readiness.ts';

/** What a worker tells, on a channel that it shares with prom-client and node:cluster. */
export type FromWorker =
  | { readonly imageChecker: 'serving'; readonly port: number }
  | {
      readonly imageChecker: 'state';
      readonly readiness: Readiness;
      /** Lines of its log that it could not hand over, so far. */
      readonly lost: number;
    };

/** What a worker is told. */
export interface ToWorker {
  readonly imageChecker: 'reload' | 'stop';
}

export function isFromWorker(message: unknown): message is FromWorker {
  return isOurs(message, ['serving', 'state']);
}

export function isToWorker(message: unknown): message is ToWorker {
  return isOurs(message, ['reload', 'stop']);
}

function isOurs(message: unknown, kinds: readonly string[]): boolean {
  if (typeof message !== 'object' || message === null || !('imageChecker' in message)) return false;
  return typeof message.imageChecker === 'string' && kinds.includes(message.imageChecker);
}
