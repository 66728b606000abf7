import { setMaxListeners } from 'node:events';
import type { ImageCheckerError } from '../errors.ts';

interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * The same question asked again while it is being answered is not asked again. Each asker waits by
 * its own signal; the question is called off when nobody waits for it any more.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();
  readonly #late: (key: string) => ImageCheckerError;

  /** @param late the error for one who stops waiting while others still do */
  constructor(late: (key: string) => ImageCheckerError) {
    this.#late = late;
  }

  async run(
    key: string,
    signal: AbortSignal,
    ask: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    // A review asks many questions by one signal, which is no leak.
    setMaxListeners(0, signal);
    const flight = this.#flights.get(key) ?? this.#start(key, ask);
    flight.waiting++;
    const isEarlier = await endsBefore(signal, flight.result);
    flight.waiting--;
    if (isEarlier && flight.waiting > 0) throw this.#late(key);
    if (isEarlier) this.#callOff(key, flight);
    return flight.result;
  }

  #start(key: string, ask: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight = { result: ask(controller.signal), controller, waiting: 0 };
    const land = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.result.then(land, land);
    this.#flights.set(key, flight);
    return flight;
  }

  /** Whoever asks from now on starts anew. */
  #callOff(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
    flight.controller.abort();
  }
}

/** Waits for the first of both; a result that failed counts as one. */
function endsBefore(signal: AbortSignal, result: Promise<unknown>): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (isEarlier: boolean): void => {
      signal.removeEventListener('abort', abort);
      resolve(isEarlier);
    };
    const abort = (): void => {
      settle(true);
    };
    const done = (): void => {
      settle(false);
    };
    signal.addEventListener('abort', abort);
    result.then(done, done);
  });
}
