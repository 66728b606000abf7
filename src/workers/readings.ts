import { countsOf } from '../record/worker-metrics.ts';
import type { Reading } from '../record/worker-metrics.ts';

/** What workers hold in their registries. What they have counted is not lost when they end. */
export interface Readings<Worker> {
  /**
   * Of each worker what it answers to `ask`, or what it said last where it ends or takes too long;
   * and what those had counted, when they said it last, that have ended.
   */
  take(workers: readonly Worker[], ask: (worker: Worker) => void): Promise<readonly Reading[]>;
  told(worker: Worker, reading: Reading): void;
  ended(worker: Worker): void;
}

/** Milliseconds: less than any scraper waits. */
const ANSWER_MS = 2000;

export function createReadings<Worker>(): Readings<Worker> {
  const last = new Map<Worker, Reading>();
  let ofEnded: Promise<Reading> = Promise.resolve([]);
  let taking: Promise<readonly Reading[]> | undefined;
  let waiting = new Set<Worker>();
  let onAnswers: () => void;
  const answered = (worker: Worker): void => {
    if (waiting.delete(worker) && waiting.size === 0) onAnswers();
  };
  const answersOf = (workers: readonly Worker[], ask: (worker: Worker) => void): Promise<void> =>
    new Promise((resolve) => {
      waiting = new Set(workers);
      const patience = setTimeout(resolve, ANSWER_MS);
      onAnswers = () => {
        clearTimeout(patience);
        resolve();
      };
      for (const worker of workers) ask(worker);
    });
  const take: Readings<Worker>['take'] = async (workers, ask) => {
    if (workers.length > 0) await answersOf(workers, ask);
    const living = [...last.values()];
    return [await ofEnded, ...living];
  };
  return {
    /** Whoever asks meanwhile gets the same. */
    take(workers, ask) {
      taking ??= take(workers, ask).finally(() => {
        taking = undefined;
      });
      return taking;
    },
    told(worker, reading) {
      last.set(worker, reading);
      answered(worker);
    },
    ended(worker) {
      const reading = last.get(worker) ?? [];
      last.delete(worker);
      ofEnded = ofEnded.then((earlier) => countsOf([earlier, reading]));
      answered(worker);
    },
  };
}
