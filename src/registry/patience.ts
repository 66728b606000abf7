/** What can be given up. */
interface Target {
  destroy(error: Error): unknown;
}

/** Milliseconds in which a server has to begin its answer, and in which each further byte has to come. */
const SILENCE_MS = 5000;

/**
 * Ends a request when the signal says so, or after a silence that is too long: a server that hangs must not
 * take all the time there is, another attempt may be answered.
 */
export class Patience {
  /** Which of the two it was. */
  lost: 'deadline' | 'silence' | undefined;
  readonly #signal: AbortSignal;
  #target: Target | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort);
  }

  /** From now on this is what ends. */
  guard(target: Target): void {
    this.#target = target;
    if (this.#signal.aborted) this.#abort();
    else this.heard();
  }

  /** Something came. */
  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#give('silence');
    }, SILENCE_MS);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#abort);
  }

  readonly #abort = (): void => {
    this.#give('deadline');
  };

  #give(why: 'deadline' | 'silence'): void {
    this.lost ??= why;
    this.#target?.destroy(new Error(why));
  }

  /** How long the silence was that is too long, in words. */
  static readonly silence = `within ${SILENCE_MS / 1000} s`;
}
