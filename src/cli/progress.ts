import type { Writable } from 'node:stream';
import { isTerminal } from './paint.ts';

/** Milliseconds before anything is shown, and between two updates. */
const DELAY = 1000;
const INTERVAL = 100;
const BAR_LENGTH = 24;
const CLEAR = '\r\u001b[K';

/** A line on a terminal that says how far a long reading is; nothing elsewhere. */
export class Progress {
  readonly #stream: Writable;
  readonly #total: number;
  readonly #now: () => number;
  #read = 0;
  #next: number;
  #shown = false;

  /** @param total bytes to be read, 0 when that is not known; @param now in milliseconds */
  constructor(stream: Writable, total: number, now: () => number) {
    this.#stream = stream;
    this.#total = total;
    this.#now = now;
    this.#next = isTerminal(stream) ? now() + DELAY : Infinity;
  }

  /** The same chunks; `count` says what they have come to so far. */
  async *watch(chunks: AsyncIterable<Buffer>, count: () => string): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      yield chunk;
      this.#read += chunk.length;
      if (this.#now() >= this.#next) this.#show(count());
    }
  }

  /** Shows a text in place of what was read. */
  tell(text: string): void {
    if (this.#now() < this.#next) return;
    this.#next = this.#now() + INTERVAL;
    this.#shown = true;
    this.#stream.write(`${CLEAR}${text}`);
  }

  clear(): void {
    if (this.#shown) this.#stream.write(CLEAR);
    this.#shown = false;
  }

  #show(count: string): void {
    this.#next = this.#now() + INTERVAL;
    this.#shown = true;
    const megabytes = `${(this.#read / 1e6).toFixed(0)} MB`;
    this.#stream.write(`${CLEAR}${this.#bar()}${megabytes}, ${count}`);
  }

  #bar(): string {
    if (this.#total === 0) return '';
    const part = Math.min(1, this.#read / this.#total);
    const full = Math.floor(part * BAR_LENGTH);
    const bar = '#'.repeat(full) + '.'.repeat(BAR_LENGTH - full);
    return `[${bar}] ${Math.floor(part * 100)}% `;
  }
}
