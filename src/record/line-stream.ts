import { fstatSync, write } from 'node:fs';
import type { Writable } from 'node:stream';

/** Where the lines of a log go. */
export interface LineStream {
  /** Bytes that are not written yet. */
  readonly writableLength: number;
  /**
   * Writes whole lines. Calls back when they are written, or with what kept some from that, and how
   * many are written all the same.
   */
  write(text: string, done: (error?: Error | null, lines?: number) => void): unknown;
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
  readonly done: (error?: Error | null, lines?: number) => void;
}

const NEWLINE = 0x0a;

/** Writes to an open file, one text after the other; goes on after an error, on a line of its own. */
class FileLines implements LineStream {
  writableLength = 0;
  readonly #fd: number;
  readonly #texts: Text[] = [];
  /** Whether the file ends within a line: a full disk takes of a text what still fits. */
  #torn = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(text: string, done: Text['done']): void {
    const bytes = Buffer.from(text);
    this.writableLength += bytes.length;
    if (this.#texts.push({ bytes, done }) === 1) this.#begin();
  }

  #begin(): void {
    const [first] = this.#texts;
    if (first === undefined) return;
    const endsTorn = this.#torn;
    const bytes = endsTorn ? Buffer.concat([Buffer.of(NEWLINE), first.bytes]) : first.bytes;
    this.#writeFrom(0, bytes, (error, lines = 0) => {
      this.#texts.shift();
      this.writableLength -= first.bytes.length;
      first.done(error, endsTorn && lines > 0 ? lines - 1 : lines);
      this.#begin();
    });
  }

  #writeFrom(from: number, bytes: Buffer, done: Text['done']): void {
    write(this.#fd, bytes, from, (error, written) => {
      const next = from + written;
      if (next > 0) this.#torn = bytes[next - 1] !== NEWLINE;
      if (error !== null) done(error, linesIn(bytes.subarray(0, next)));
      else if (next === bytes.length) done();
      else this.#writeFrom(next, bytes, done);
    });
  }
}

function linesIn(bytes: Buffer): number {
  return bytes.reduce((count, byte) => (byte === NEWLINE ? count + 1 : count), 0);
}
