import type { Reading } from '../record/worker-metrics.ts';
import type { Readiness } from '../transport/readiness.ts';

/** What a worker tells, on a channel that it shares with node:cluster. */
export type FromWorker =
  | { readonly imageChecker: 'serving'; readonly port: number }
  | {
      readonly imageChecker: 'state';
      readonly readiness: Readiness;
      /** Lines of its log that it could not hand over, so far. */
      readonly lost: number;
    }
  | { readonly imageChecker: 'metrics'; readonly reading: Reading };

/** What a worker is told. */
export interface ToWorker {
  readonly imageChecker: 'reload' | 'stop' | 'metrics';
}

export function isFromWorker(message: unknown): message is FromWorker {
  return isOurs(message, ['serving', 'state', 'metrics']);
}

export function isToWorker(message: unknown): message is ToWorker {
  return isOurs(message, ['reload', 'stop', 'metrics']);
}

function isOurs(message: unknown, kinds: readonly string[]): boolean {
  if (typeof message !== 'object' || message === null || !('imageChecker' in message)) return false;
  return typeof message.imageChecker === 'string' && kinds.includes(message.imageChecker);
}
