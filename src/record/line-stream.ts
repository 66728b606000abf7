import { fstatSync, write } from 'node:fs';
import type { Writable } from 'node:stream';

/** Where the lines of a log go. */
export interface LineStream {
  /** Bytes that are not written yet. */
  readonly writableLength: number;
  /** Calls back when all of the text is written, or with what kept a part of it from that. */
  write(text: string, done: (error?: Error | null) => void): unknown;
}

/**
 * The stream itself; but for a file behind standard output, which Node writes to while everything
 * else waits, and without looking whether the disk took all of a text.
 */
export function lineStreamOf(stream: Writable): LineStream {
  // A log that cannot be written is no reason to stop answering.
  stream.on('error', () => undefined);
  const fd: unknown = 'fd' in stream ? stream.fd : undefined;
  return typeof fd === 'number' && fstatSync(fd).isFile() ? new FileLines(fd) : stream;
}

interface Text {
  readonly bytes: Buffer;
  readonly done: (error?: Error | null) => void;
}

/** Writes to an open file, one text after the other; goes on after an error. */
class FileLines implements LineStream {
  writableLength = 0;
  readonly #fd: number;
  readonly #texts: Text[] = [];

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(text: string, done: Text['done']): void {
    const bytes = Buffer.from(text);
    this.writableLength += bytes.length;
    if (this.#texts.push({ bytes, done }) === 1) this.#writeFirst(0);
  }

  #writeFirst(from: number): void {
    const [first] = this.#texts;
    if (first === undefined) return;
    write(this.#fd, first.bytes, from, (error, written) => {
      const next = from + written;
      if (error === null && next < first.bytes.length) {
        this.#writeFirst(next);
        return;
      }
      this.#texts.shift();
      this.writableLength -= first.bytes.length;
      first.done(error);
      this.#writeFirst(0);
    });
  }
}
