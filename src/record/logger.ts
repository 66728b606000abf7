import { Writable } from 'node:stream';
import { createLogger, format, transports } from 'winston';
import type { Logger } from 'winston';
import { createLineBuffer } from './line-buffer.ts';
import type { LineBuffer } from './line-buffer.ts';
import { lineStreamOf } from './line-stream.ts';

/** The levels of a log line, most severe first. */
const LEVELS = { error: 0, warn: 1, info: 2, debug: 3 };

export type LogLevel = keyof typeof LEVELS;

/** Values of a log line beside its message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The same, none of which may be named as what every line has. */
export type OftenFields = LogFields &
  Readonly<Partial<Record<'level' | 'message' | 'timestamp', never>>>;

/** Where the service writes what happens; one JSON object a line, or a line for the eye. */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** For what is written thousands of times a second: lines may wait for others, 10 ms from `warn` on. */
  often(level: LogLevel, message: string, fields: OftenFields): void;
  /** Whether a line of this level is written at all: ask before a costly one is put together. */
  writes(level: LogLevel): boolean;
}

/** A log that counts the lines that could not be written. */
export interface StreamLog extends Log {
  lost(): number;
  /** Passes on whole lines, as another process has written them to a log of its own. */
  pass(text: string): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
}

/** Opens a log on a stream. */
export function createLog(options: LogOptions, stream: Writable): StreamLog {
  const [render, renderOften] =
    options.format === 'json' ? [jsonLine, oftenJsonLine] : [prettyLine, oftenPrettyLine];
  const lines = createLineBuffer(lineStreamOf(stream), (lost) => {
    const message = 'log lines were lost, they could not be written';
    return `${render({ lost, level: 'warn', message, timestamp: isoNow() })}\n`;
  });
  const writes = (level: LogLevel): boolean => LEVELS[level] <= LEVELS[options.level];
  const logger: Logger = createLogger({
    level: options.level,
    levels: LEVELS,
    format: format.combine(format.timestamp(), format.printf(render)),
    transports: [new transports.Stream({ stream: straightThrough(lines), eol: '\n' })],
  });
  // As one object: winston joins a `message` among the fields to the message itself.
  const write =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      logger.log({ ...fields, level, message });
    };
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    // Without winston, which takes longer than a review.
    often(level, message, fields) {
      if (!writes(level)) return;
      lines.add(`${renderOften(level, message, fields)}\n`);
      if (LEVELS[level] <= LEVELS.warn) lines.flushSoon();
    },
    writes,
    lost: () => lines.lost(),
    pass(text) {
      lines.add(text, text.split('\n').length - 1);
      lines.flush();
    },
  };
}

/** Where winston writes to: its lines are few, and wait for none. */
function straightThrough(lines: LineBuffer): Writable {
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      lines.add(line);
      lines.flush();
      done();
    },
  });
}

let isoMillisecond = 0;
let isoText = '';

/** The time, as `format.timestamp` writes it; made once a millisecond. */
function isoNow(): string {
  const now = Date.now();
  if (now !== isoMillisecond) {
    isoMillisecond = now;
    isoText = new Date(now).toISOString();
  }
  return isoText;
}

/** The same log, with more fields in all lines but those that are written often. */
export function withFields(log: StreamLog, always: LogFields): StreamLog {
  const write =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      log[level](message, { ...fields, ...always });
    };
  const levels = { error: write('error'), warn: write('warn'), info: write('info') };
  return { ...log, ...levels, debug: write('debug') };
}

/** What JSON leaves as it is, and a terminal may still obey: C1 controls, bidi, line separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** What nearly every line is made of, and quick to look for. */
const PLAIN = /^[\x20-\x7e]*$/;

function jsonLine(fields: LogFields): string {
  return printableJson(JSON.stringify(fields));
}

/** What `jsonLine` makes of all together. */
function oftenJsonLine(level: LogLevel, message: string, fields: OftenFields): string {
  const text = printableJson(JSON.stringify(fields));
  const rest = `"level":"${level}","message":${JSON.stringify(message)},"timestamp":"${isoNow()}"}`;
  return text === '{}' ? `{${rest}` : `${text.slice(0, -1)},${rest}`;
}

/** The same JSON, without what a terminal may obey. */
function printableJson(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}

function oftenPrettyLine(level: LogLevel, message: string, fields: OftenFields): string {
  return prettyLine({ ...fields, level, message, timestamp: isoNow() });
}

/** JSON quoting keeps what comes from outside on its line. */
function prettyLine({ timestamp, level, message, ...fields }: LogFields): string {
  const values = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${JSON.stringify(value).replace(UNPRINTABLE, escape)}`);
  return `${String(timestamp)} ${String(level).padEnd(5)} ${String(message)}${values.join('')}`;
}

function escape(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
