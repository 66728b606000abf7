import type { Readable, Writable } from 'node:stream';
import { lineStreamOf } from '../record/line-stream.ts';

/** In characters. No line of a log is as long. */
const MAX_LINE = 1024 * 1024;
/** In bytes: what the output may owe, because its reader has stopped. More is thrown away. */
const MAX_OWED = 8 * 1024 * 1024;

/**
 * Passes on what several processes write, whole lines at a time: written by each itself, their
 * lines would run into one another on a pipe.
 */
export function createRelay(output: Writable): (input: Readable) => void {
  const lines = lineStreamOf(output);
  const pass = (text: string): void => {
    if (text !== '' && lines.writableLength <= MAX_OWED) lines.write(text, () => undefined);
  };
  return (input) => {
    let rest = '';
    input.setEncoding('utf8').on('data', (part: string) => {
      const text = rest + part;
      const end = text.lastIndexOf('\n') + 1;
      pass(text.slice(0, end));
      rest = text.length - end > MAX_LINE ? '' : text.slice(end);
    });
    // Of one that was killed while it wrote, a part of a line may be left.
    input.once('close', () => {
      pass(rest === '' ? '' : `${rest}\n`);
    });
  };
}
