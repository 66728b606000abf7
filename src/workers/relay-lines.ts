import type { Readable } from 'node:stream';

/** In characters. No line of a log is as long. */
const MAX_LINE = 1024 * 1024;

/**
 * Passes on what several processes write, whole lines at a time: written by each itself, their
 * lines would run into one another on a pipe.
 */
export function createRelay(pass: (lines: string) => void): (input: Readable) => void {
  return (input) => {
    let rest = '';
    input.setEncoding('utf8').on('data', (part: string) => {
      const text = rest + part;
      const end = text.lastIndexOf('\n') + 1;
      if (end > 0) pass(text.slice(0, end));
      rest = text.length - end > MAX_LINE ? '' : text.slice(end);
    });
    // Of one that was killed while it wrote, a part of a line may be left.
    input.once('close', () => {
      if (rest !== '') pass(`${rest}\n`);
    });
  };
}
