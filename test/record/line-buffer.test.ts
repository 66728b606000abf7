import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createLineBuffer } from '../../src/record/line-buffer.ts';
import type { LineBuffer } from '../../src/record/line-buffer.ts';
import type { LineStream } from '../../src/record/line-stream.ts';

/** A stream that does with each write what the test says, and goes on after an error as stdout does. */
class Sink implements LineStream {
  readonly writes: string[] = [];
  /** Set: writes wait, as those to a pipe that nobody reads. */
  stuck = false;
  error: Error | undefined;
  /** How many lines are written all the same. */
  written: number | undefined;
  writableLength = 0;
  #waiting: (() => void)[] = [];

  write(text: string, done: Parameters<LineStream['write']>[1]): void {
    this.writableLength += text.length;
    const write = (): void => {
      this.writableLength -= text.length;
      if (this.error === undefined) this.writes.push(text);
      done(this.error, this.written);
    };
    if (this.stuck) this.#waiting.push(write);
    else write();
  }

  release(): void {
    this.stuck = false;
    for (const write of this.#waiting.splice(0)) write();
  }
}

function open(): { sink: Sink; lines: LineBuffer } {
  const sink = new Sink();
  return { sink, lines: createLineBuffer(sink, (lost) => `lost ${lost}\n`) };
}

describe('lines that are gathered', () => {
  it('are written together, in their order', () => {
    const { sink, lines } = open();
    for (const line of ['a\n', 'b\n', 'c\n']) lines.add(line);
    expect(sink.writes).toEqual([]);
    lines.flush();
    lines.flush();
    expect(sink.writes).toEqual(['a\nb\nc\n']);
  });

  it('are written by themselves after a moment', async () => {
    const { sink, lines } = open();
    lines.add('a\n');
    for (let turn = 0; turn < 500 && sink.writes.length === 0; turn++) await sleep(10);
    expect(sink.writes).toEqual(['a\n']);
  });

  it('are written at once when there are many', () => {
    const { sink, lines } = open();
    const line = `${'x'.repeat(1023)}\n`;
    for (let count = 0; count < 100; count++) lines.add(line);
    expect(sink.writes.map(({ length }) => length)).toEqual([64 * 1024]);
  });
});

describe('lines that are urgent', () => {
  it('are written at once, and in a flood of them together, with what came in between', async () => {
    const { sink, lines } = open();
    for (const line of ['a\n', 'b\n', 'c\n']) {
      lines.add(line);
      lines.flushSoon();
    }
    lines.add('d\n');
    expect(sink.writes).toEqual(['a\n']);
    for (let turn = 0; turn < 500 && sink.writes.length === 1; turn++) await sleep(1);
    expect(sink.writes).toEqual(['a\n', 'b\nc\nd\n']);
  });

  it('are written at once again when some time has gone by', async () => {
    const { sink, lines } = open();
    for (const line of ['a\n', 'b\n']) {
      lines.add(line);
      lines.flushSoon();
      await sleep(20);
    }
    lines.add('c\n');
    lines.flushSoon();
    expect(sink.writes).toEqual(['a\n', 'b\n', 'c\n']);
  });
});

describe('a stream that is not read', () => {
  const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;

  it('is owed no more than some megabytes, however much is logged', () => {
    const { sink, lines } = open();
    sink.stuck = true;
    for (let count = 0; count < 1000; count++) lines.add(line);
    expect(sink.writableLength).toBeLessThan(10 * 1024 * 1024);
    expect(lines.lost()).toBe(1000 - sink.writableLength / line.length);
  });

  it('is told how many lines it missed, when it is read again', () => {
    const { sink, lines } = open();
    sink.stuck = true;
    for (let count = 0; count < 20; count++) lines.add(line);
    const kept = sink.writableLength / line.length;
    sink.release();
    for (const next of ['a\n', 'b\n']) {
      lines.add(next);
      lines.flush();
    }
    expect(sink.writes.slice(-2)).toEqual([`lost ${20 - kept}\na\n`, 'b\n']);
  });
});

describe('a stream that fails', () => {
  it('takes what comes when it works again, and is told how many lines failed', () => {
    const { sink, lines } = open();
    sink.error = new Error('no space left on device');
    for (const text of ['a\n', 'b\n']) {
      lines.add(text);
      lines.flush();
    }
    sink.error = undefined;
    lines.add('c\n');
    lines.flush();
    lines.add('d\n');
    lines.flush();
    expect(sink.writes).toEqual(['lost 2\nc\n', 'd\n']);
    expect(lines.lost()).toBe(2);
  });

  it.each([
    ['nothing', 0, 'lost 7\n', 7],
    ['the line that tells of the loss', 1, 'lost 4\n', 7],
    ['that line and another', 2, 'lost 3\n', 6],
  ])('is told exactly, and once, when it took %s of a text', (_title, written, told, inAll) => {
    const { sink, lines } = open();
    const log = (count: number): void => {
      for (let at = 0; at < count; at++) lines.add('a\n');
      lines.flush();
    };
    sink.error = new Error('no space left on device');
    log(3);
    sink.written = written;
    log(4);
    sink.error = undefined;
    log(1);
    expect([sink.writes, lines.lost()]).toEqual([[`${told}a\n`], inAll]);
  });

  it('is no reason to fail when it is gone for good', () => {
    const stream = new Writable().on('error', () => undefined).destroy();
    const lines = createLineBuffer(stream, () => 'lost\n');
    expect(() => {
      lines.add('a\n');
      lines.flush();
      lines.add('b\n');
      lines.flush();
    }).not.toThrow();
  });
});
