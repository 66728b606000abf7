import type { Writable } from 'node:stream';
import { ImageCheckerError, messageOf, systemCode } from '../errors.ts';

/** Where results go: waits while the reader is slow, and notices when there is none any more. */
export class Output {
  readonly #stream: Writable;
  #failure: unknown;

  constructor(stream: Writable) {
    this.#stream = stream;
    // Stays on: the last write may fail after the command has returned.
    stream.on('error', (error) => (this.#failure ??= error));
  }

  /**
   * Writes and waits until there is room for more.
   *
   * @returns false when nobody reads any more (`| head`): there is nothing left to do, quietly
   * @throws {ImageCheckerError} `file-unwritable`, such as for a full disk
   */
  async write(text: string): Promise<boolean> {
    if (this.#isOpen() && !this.#stream.write(text)) await this.#drained();
    return this.#isOpen();
  }

  #isOpen(): boolean {
    if (this.#failure === undefined) return !this.#stream.destroyed;
    if (systemCode(this.#failure) === 'EPIPE') return false;
    const message = `expected to write it, got ${messageOf(this.#failure)}`;
    throw new ImageCheckerError('file-unwritable', { file: 'stdout', message });
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const stream = this.#stream;
      const events = ['drain', 'close', 'error'] as const;
      const done = (): void => {
        for (const event of events) stream.off(event, done);
        resolve();
      };
      for (const event of events) stream.once(event, done);
    });
  }
}

/** For `-o json`. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** In characters: large enough to be few writes, small enough to wait in between. */
const BATCH_LENGTH = 64 * 1024;

/**
 * Writes many pieces in few writes; stops when nobody reads any more. When the pieces end in an
 * error, those before it are written first.
 */
export async function writeAll(output: Output, pieces: Iterable<string>): Promise<boolean> {
  let batch = '';
  try {
    for (const piece of pieces) {
      batch += piece;
      if (batch.length < BATCH_LENGTH) continue;
      const full = batch;
      batch = '';
      if (!(await output.write(full))) return false;
    }
  } catch (thrown) {
    await output.write(batch);
    throw thrown;
  }
  return output.write(batch);
}
