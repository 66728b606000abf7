import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { LogLevel, LogOptions, StreamLog } from '../../src/record/logger.ts';
import { createLog } from '../../src/record/logger.ts';

class Sink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

function open(options: Partial<LogOptions> = {}): { log: StreamLog; sink: Sink } {
  const sink = new Sink();
  return { log: createLog({ level: 'debug', format: 'json', ...options }, sink), sink };
}

/** What somebody may put into an image, a namespace or a ticket. */
const HOSTILE = [
  'a\nb',
  'a\r\n{"level":"error","message":"forged"}',
  '"}\n{"x":"',
  'a\u2028b\u2029c',
  'a\u0085b',
  '\u001b[2J\u001b[1;1H',
  '\u009b2J',
  '\u202egnp.exe',
  '\0',
  '\ud800',
  '\\n',
  '%s %j %d %o',
  '${message}',
];

describe('a log in JSON', () => {
  it('writes an object a line, with time, level and fields', () => {
    const { log, sink } = open();
    log.info('something happened', { a: 1, b: ['x'], c: { d: null }, gone: undefined });
    expect(sink.lines()).toHaveLength(1);
    const { timestamp, ...rest } = JSON.parse(sink.lines()[0] ?? '') as { timestamp: string };
    expect(new Date(timestamp).toISOString()).toBe(timestamp);
    expect(rest).toEqual({
      level: 'info',
      message: 'something happened',
      a: 1,
      b: ['x'],
      c: { d: null },
    });
  });

  it.each(HOSTILE)('keeps %j on its line, as it was', (text) => {
    const { log, sink } = open();
    log.warn('m', { text, list: [text], deep: { text } });
    expect(sink.lines()).toHaveLength(1);
    expect(JSON.parse(sink.lines()[0] ?? '')).toMatchObject({ text, list: [text], deep: { text } });
  });

  it('lets no field take the place of level or message', () => {
    const { log, sink } = open();
    log.warn('mine', { level: 'error', message: 'forged' });
    expect(JSON.parse(sink.lines()[0] ?? '')).toMatchObject({ level: 'warn', message: 'mine' });
  });
});

describe('a log for the eye', () => {
  it('writes a line of time, level, message and fields', () => {
    const { log, sink } = open({ format: 'pretty' });
    log.info('something happened', { a: 1, b: ['x'], gone: undefined });
    log.error('bad');
    expect(sink.lines()).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}something happened a=1 b=\["x"\]$/),
      expect.stringMatching(/Z error bad$/),
    ]);
  });

  it.each(HOSTILE)('shows %j as text on its line', (text) => {
    const { log, sink } = open({ format: 'pretty' });
    log.warn('m', { text, list: [text], deep: { text } });
    expect(sink.lines()).toHaveLength(1);
    expect(sink.lines()[0]).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });
});

describe('what JSON leaves as it is', () => {
  it('is escaped for the eye by its number', () => {
    const { log, sink } = open({ format: 'pretty' });
    log.warn('m', { text: 'a\u009b\u202e\u{e0041}b' });
    expect(sink.lines()[0]).toContain('text="a\\u{9b}\\u{202e}\\u{e0041}b"');
  });
});

describe('the level of a log', () => {
  it.each<[LogLevel, LogLevel[]]>([
    ['error', ['error']],
    ['warn', ['error', 'warn']],
    ['info', ['error', 'warn', 'info']],
    ['debug', ['error', 'warn', 'info', 'debug']],
  ])('%s writes %j alone', (level, written) => {
    const { log, sink } = open({ level });
    const levels: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];
    for (const each of levels) log[each](each);
    expect(sink.lines().map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(
      written,
    );
    expect(levels.filter((each) => log.writes(each))).toEqual(written);
  });
});

describe('a line that is written often', () => {
  const message = 'image review decided';

  it.each(['json', 'pretty'] as const)('looks like every other line of a %s log', (format) => {
    const { log, sink } = open({ format });
    const fields = { a: 1, b: ['x'], c: { d: null }, text: HOSTILE.join(''), gone: undefined };
    log.warn(message, fields);
    log.often('warn', message, fields);
    const [one, other] = sink
      .lines()
      .map((line) => line.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/, 'TIME'));
    expect(one).toContain('TIME');
    expect(other).toBe(one);
  });

  it.each<[LogLevel, boolean]>([
    ['error', true],
    ['warn', true],
    ['info', false],
    ['debug', false],
  ])('of level %s is written at once: %j', (level, atOnce) => {
    const { log, sink } = open();
    log.often(level, message, {});
    expect(sink.lines().length).toBe(atOnce ? 1 : 0);
  });

  it('is written before what is logged after it', () => {
    const { log, sink } = open();
    log.often('info', 'one', {});
    log.info('two');
    log.often('info', 'three', {});
    log.often('warn', 'four', {});
    const messages = sink.lines().map((line) => (JSON.parse(line) as { message: string }).message);
    expect(messages).toEqual(['one', 'two', 'three', 'four']);
  });

  it('is not written below the level of the log', () => {
    const { log, sink } = open({ level: 'warn' });
    log.often('info', 'one', {});
    log.warn('two');
    expect(sink.lines()).toHaveLength(1);
  });
});

describe('lines of another process', () => {
  it('are passed on as they are, after what was logged before', () => {
    const { log, sink } = open({ level: 'error' });
    log.often('error', 'one', {});
    log.pass('{"two":2}\nthree\n');
    expect(sink.lines().slice(1)).toEqual(['{"two":2}', 'three']);
  });

  it('are counted when they cannot be written', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done(new Error('disk full'));
      },
    });
    const log = createLog({ level: 'info', format: 'json' }, stream);
    log.pass('one\ntwo\nthree\n');
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.lost()).toBe(3);
  });
});

describe('a log that cannot be written', () => {
  it('is no reason to fail', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done(new Error('disk full'));
      },
    });
    const log = createLog({ level: 'info', format: 'json' }, stream);
    expect(() => {
      log.info('one');
      log.info('two');
    }).not.toThrow();
    await new Promise((resolve) => setImmediate(resolve));
    expect(() => {
      log.info('three');
    }).not.toThrow();
  });
});
