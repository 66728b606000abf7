/*
 * RFC 3339, as programs write it:
 *
 *   time = date "T" hour ":" minute ":" second [ "." digits ] ( "Z" | ( "+" | "-" ) hour ":" minute )
 */

const TIME =
  /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
const DAY = 24 * 60 * 60 * 1000;
/** How far the clock of whoever wrote a time may be ahead of ours; milliseconds. */
const CLOCK_SKEW = 5 * 60 * 1000;

/** Milliseconds since 1970; undefined for what is no time of RFC 3339. */
export function parseTime(text: string): number | undefined {
  const [, date] = TIME.exec(text) ?? [];
  const time = Date.parse(text);
  if (date === undefined || Number.isNaN(time)) return undefined;
  // Date.parse takes 30 February for 2 March.
  return dateOf(Date.parse(date)) === date ? time : undefined;
}

/**
 * What a time is instead of one within the last days, for "got one ..."; undefined when it is.
 *
 * @param written as it was found; undefined when there was none
 */
export function staleness(
  written: string | undefined,
  maxDays: number,
  now: number,
): string | undefined {
  if (written === undefined) return 'that does not say when';
  const time = parseTime(written);
  if (time === undefined) return 'that does not say when in RFC 3339';
  const date = dateOf(time);
  if (time > now + CLOCK_SKEW) return `of the future (${date})`;
  return now - time > maxDays * DAY ? `of ${date}` : undefined;
}

function dateOf(time: number): string {
  return new Date(time).toISOString().replace(/T.*/, '');
}

export function describeDays(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}
