import type { LineStream } from './line-stream.ts';

/** In characters: what is gathered until it is written at once. One write costs as much as a line. */
const MAX_GATHERED = 64 * 1024;
/** For so long a line may wait for others; a crash loses what waits. */
const MAX_WAIT_MS = 100;
/** What is urgent is written at once, and no more often than this. */
const APART_MS = 10;
/** In bytes: what a stream may owe, because its reader has stopped. More is thrown away. */
const MAX_OWED = 8 * 1024 * 1024;

/** Gathers the lines of a log, so that each costs little; it never waits, and never fails. */
export interface LineBuffer {
  /** Takes a line, or so many, with their ends, that are to be written soon. */
  add(text: string, lines?: number): void;
  /** Hands over to the stream all that was taken. */
  flush(): void;
  /** The same; when this was asked for within the last 10 ms, as soon as they are over. */
  flushSoon(): void;
  /** How many lines were lost so far. */
  lost(): number;
}

/**
 * @param lossLine the line that tells of so many that were lost, once there is room for it; it is
 * written before the others
 */
export function createLineBuffer(
  stream: LineStream,
  lossLine: (lost: number) => string,
): LineBuffer {
  let gathered = '';
  let count = 0;
  let lost = 0;
  // Of those, by a line that is written or on its way.
  let told = 0;
  let timer: NodeJS.Timeout | undefined;
  // Whether the timer is that of an urgent line.
  let soon = false;
  let urgentAt = -Infinity;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    soon = false;
    if (count === 0) return;
    const [text, lines] = [gathered, count];
    [gathered, count] = ['', 0];
    if (stream.writableLength > MAX_OWED) {
      lost += lines;
      return;
    }
    const untold = lost - told;
    told = lost;
    stream.write((untold === 0 ? '' : lossLine(untold)) + text, (error, written = 0) => {
      if (!error) return;
      const own = untold === 0 ? 0 : 1;
      lost += lines - Math.max(written - own, 0);
      if (written < own) told -= untold;
    });
  };
  const flushUrgent = (): void => {
    urgentAt = performance.now();
    flush();
  };
  return {
    flush,
    flushSoon() {
      if (soon) return;
      const left = urgentAt + APART_MS - performance.now();
      if (left <= 0) {
        flushUrgent();
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(flushUrgent, left).unref();
      soon = true;
    },
    lost: () => lost,
    add(text, added = 1) {
      gathered += text;
      count += added;
      if (gathered.length >= MAX_GATHERED) flush();
      else timer ??= setTimeout(flush, MAX_WAIT_MS).unref();
    },
  };
}
