/** Lets a number of tasks run at a time; the others wait in turn, or until their signal ends. */
export class Limiter {
  readonly #most: number;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(most: number) {
    this.#most = most;
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.size === 0;
  }

  /** Undefined, and the task was not begun, when the signal ended first. */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T | undefined> {
    if (!(await this.#enter(signal))) return undefined;
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#running < this.#most) {
      this.#running++;
      return true;
    }
    return new Promise((resolve) => {
      const settle = (entered: boolean): void => {
        signal.removeEventListener('abort', giveUp);
        this.#waiting.delete(enter);
        resolve(entered);
      };
      const enter = (): void => {
        settle(true);
      };
      const giveUp = (): void => {
        settle(false);
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', giveUp);
    });
  }

  /** The place goes to the one who has waited longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#running--;
    else next();
  }
}
