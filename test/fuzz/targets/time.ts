import assert from 'node:assert/strict';
import { parseTime, staleness } from '../../../src/parse/time.ts';
import { textOf } from '../text.ts';

const NOW = Date.UTC(2026, 10, 27, 12);
const DAY_MS = 86_400_000;
const MAX_DAYS = 30;
const SKEW_MS = 300_000;

/** A text is a time of RFC 3339, reckoned from the calendar, or none; and nothing but a recent one is recent. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  const time = parseTime(text);
  const expected = oracle(text);
  assert.equal(time, expected);
  const refusal = staleness(text, MAX_DAYS, NOW);
  const isRecent =
    expected !== undefined && expected <= NOW + SKEW_MS && NOW - expected <= MAX_DAYS * DAY_MS;
  assert.equal(refusal === undefined, isRecent);
  if (refusal === undefined) return;
  assert.match(
    refusal,
    /^(?:that does not say when in RFC 3339|of (?:\+0|-00)?\d{4}-\d\d-\d\d|of the future \((?:\+0)?\d{4,5}-\d\d-\d\d\))$/,
  );
}

const FORM =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

function oracle(text: string): number | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const at = (index: number): number => Number(match[index] ?? 0);
  const [hour, minute, second, offsetHour, offsetMinute] = [at(4), at(5), at(6), at(9), at(10)];
  if (hour > 23 || minute > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  // A leap second is RFC 3339's, but nobody's clock here shows it.
  if (second > 59) return undefined;
  const days = daysOf(at(1), at(2), at(3));
  const offset = (match[8] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  const minutes = hour * 60 + minute - offset;
  const milliseconds = Math.floor(Number(`0.${match[7] ?? '0'}`.slice(0, 5)) * 1000 + 1e-6);
  return days && days.count * DAY_MS + minutes * 60_000 + second * 1000 + milliseconds;
}

const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Days since 1970, year by year; undefined for no day of the Gregorian calendar. */
function daysOf(year: number, month: number, day: number): { readonly count: number } | undefined {
  const isLeap = (of: number): boolean => (of % 4 === 0 && of % 100 !== 0) || of % 400 === 0;
  const lengths = LENGTHS.map((length, index) => length + (index === 1 && isLeap(year) ? 1 : 0));
  const length = lengths[month - 1];
  if (length === undefined || day < 1 || day > length) return undefined;
  let count = lengths.slice(0, month - 1).reduce((sum, each) => sum + each, day - 1);
  for (let each = 1970; each < year; each++) count += isLeap(each) ? 366 : 365;
  for (let each = year; each < 1970; each++) count -= isLeap(each) ? 366 : 365;
  return { count };
}
