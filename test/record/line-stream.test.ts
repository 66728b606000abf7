import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lineStreamOf } from '../../src/record/line-stream.ts';

/** As `process.stdout`: a stream that knows its file descriptor. */
function streamWithFd(fd: number): Writable {
  return Object.assign(new Writable(), { fd });
}

describe('a log to a file', () => {
  let folder: string;
  let file: string;
  let fd: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'image-checker-lines-'));
    file = join(folder, 'log');
    fd = openSync(file, 'a');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const written = (count: number, text: (at: number) => string): Promise<unknown> => {
    const lines = lineStreamOf(streamWithFd(fd));
    const writes = Array.from({ length: count }, (_, at) => {
      return new Promise((resolve) => {
        lines.write(text(at), resolve);
      });
    });
    return Promise.all(writes);
  };

  it('has every text in its order, and says when each is written', async () => {
    const text = (at: number) => `${at} ä\n`;
    expect(new Set((await written(500, text)) as unknown[])).toEqual(new Set([undefined]));
    expect(readFileSync(file, 'utf8')).toBe(
      Array.from({ length: 500 }, (_, at) => text(at)).join(''),
    );
    closeSync(fd);
  });

  it('owes what is not written yet, in bytes', async () => {
    const lines = lineStreamOf(streamWithFd(fd));
    const done = new Promise((resolve) => {
      lines.write('ä\n', resolve);
    });
    expect(lines.writableLength).toBe(3);
    await done;
    expect(lines.writableLength).toBe(0);
    closeSync(fd);
  });

  it('tells each text that could not be written, and owes none of them', async () => {
    const readOnly = openSync(file, 'r');
    const lines = lineStreamOf(streamWithFd(readOnly));
    const errors = await Promise.all(
      ['a\n', 'b\n'].map(
        (text) =>
          new Promise((resolve) => {
            lines.write(text, resolve);
          }),
      ),
    );
    expect(errors).toMatchObject([{ code: 'EBADF' }, { code: 'EBADF' }]);
    expect(lines.writableLength).toBe(0);
    closeSync(readOnly);
    closeSync(fd);
  });
});

describe('a log to what is no file', () => {
  it.each([
    ['a stream without a file descriptor', new Writable()],
    ['a device', streamWithFd(openSync('/dev/null', 'w'))],
  ])('is the stream: %s', (_title, stream) => {
    expect(lineStreamOf(stream)).toBe(stream);
  });
});
