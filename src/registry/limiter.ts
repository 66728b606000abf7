/**
 * Milliseconds that a task has when its signal has ended, to say what it was waiting for; less than
 * a review waits beyond its deadline.
 */
const GRACE = 150;

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

  /**
   * Undefined when the signal ended first: the task was not begun, or takes no notice of its end. A
   * task like that is left to itself, so that nothing that hangs can keep its place for good.
   */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T | undefined> {
    return this.runToEnd(signal, () => untilAbandoned(signal, task()));
  }

  /**
   * The same, but a task keeps its place for as long as it takes: one that cannot be called off uses
   * up what the limit is for.
   */
  async runToEnd<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T | undefined> {
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

/** What the task comes to, or undefined when it has not ended soon after its signal. */
function untilAbandoned<T>(signal: AbortSignal, task: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const abort = (): void => {
      timer = setTimeout(resolve, GRACE, undefined);
    };
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    task.finally(end).then(resolve, reject);
  });
}
