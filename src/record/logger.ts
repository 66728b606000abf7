import type { Writable } from 'node:stream';
import { createLogger, format, transports } from 'winston';
import type { Logger } from 'winston';

/** The levels of a log line, most severe first. */
const LEVELS = { error: 0, warn: 1, info: 2, debug: 3 };

export type LogLevel = keyof typeof LEVELS;

/** Values of a log line beside its message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the service writes what happens; one JSON object a line, or a line for the eye. */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** Whether a line of this level is written at all: ask before a costly one is put together. */
  writes(level: LogLevel): boolean;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
}

/** Opens a log on a stream. */
export function createLog(options: LogOptions, stream: Writable): Log {
  // A log that cannot be written is no reason to stop answering.
  stream.on('error', () => undefined);
  const logger: Logger = createLogger({
    level: options.level,
    levels: LEVELS,
    format: format.combine(
      format.timestamp(),
      format.printf(options.format === 'json' ? jsonLine : prettyLine),
    ),
    transports: [new transports.Stream({ stream, eol: '\n' })],
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
    writes: (level) => logger.isLevelEnabled(level),
  };
}

/** What JSON leaves as it is, and a terminal may still obey: C1 controls, bidi, line separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** The same JSON, without what a terminal may obey. */
function jsonLine(fields: LogFields): string {
  return JSON.stringify(fields).replace(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
    }).join(''),
  );
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
