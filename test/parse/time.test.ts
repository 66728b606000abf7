import { describe, expect, it } from '@jest/globals';
import { describeDays, parseTime, staleness } from '../../src/parse/time.ts';

const NOON = Date.UTC(2026, 10, 27, 12);
const DAY = 86_400_000;
const SKEW = 300_000;
const at = (time: number): string => new Date(time).toISOString();

describe('a time', () => {
  it.each([
    ['2026-11-27T12:00:00Z', NOON],
    ['2026-11-27T12:00:00.5Z', NOON + 500],
    ['2026-11-27T12:00:00.123456789Z', NOON + 123],
    ['2026-11-27T14:30:00+02:30', NOON],
    ['2026-11-27T09:00:00-03:00', NOON],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2026-11-27T23:59:59Z', Date.UTC(2026, 10, 27, 23, 59, 59)],
    ['0000-02-29T00:00:00Z', -62_162_121_600_000],
    ['2026-01-31T00:00:00Z', Date.UTC(2026, 0, 31)],
  ])('is read: %s', (text, time) => {
    expect(parseTime(text)).toBe(time);
  });

  it.each([
    [''],
    ['x2026-11-27T12:00:00Z'],
    ['2026-11-27T12:00:00Zx'],
    ['2026-11-27'],
    ['2026-11-27T12:00:00'],
    ['2026-11-27 12:00:00Z'],
    ['2026-11-27T12:00Z'],
    ['26-11-27T12:00:00Z'],
    ['2026-1-27T12:00:00Z'],
    ['2026-11-7T12:00:00Z'],
    ['2026-11-27T1:00:00Z'],
    ['2026-11-27T12:0:00Z'],
    ['2026-11-27T12:00:0Z'],
    ['2026-11-27T12:00:00.Z'],
    ['2026-11-27T12:00:00.1234567890Z'],
    ['2026-11-27T12:00:00+0230'],
    ['2026-11-27T12:00:00+2:30'],
    ['2026-11-27T12:00:00x02:30'],
    ['2026-02-29T00:00:00Z'],
    ['2026-04-31T00:00:00Z'],
    ['2026-13-01T00:00:00Z'],
    ['2026-11-27T24:00:00Z'],
    ['2026-11-27T25:00:00Z'],
    ['yyyy-11-27T12:00:00Z'],
    ['2026-mm-27T12:00:00Z'],
    ['2026-11-ddT12:00:00Z'],
  ])('is none: %j', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});

describe('a time within the last 2 days', () => {
  it.each([
    ['now', at(NOON)],
    ['2 days ago to the millisecond', at(NOON - 2 * DAY)],
    ['5 minutes ahead, by another clock', at(NOON + SKEW)],
  ])('may be %s', (_title, written) => {
    expect(staleness(written, 2, NOON)).toBeUndefined();
  });

  it.each([
    ['missing', undefined, 'that does not say when'],
    ['unreadable', 'yesterday', 'that does not say when in RFC 3339'],
    ['a millisecond older', at(NOON - 2 * DAY - 1), 'of 2026-11-25'],
    ['more than 5 minutes ahead', at(NOON + SKEW + 1), 'of the future (2026-11-27)'],
    [
      'beyond the years of four digits',
      '9999-12-31T23:59:59-01:00',
      'of the future (+010000-01-01)',
    ],
  ])('is not %s', (_title, written, message) => {
    expect(staleness(written, 2, NOON)).toBe(message);
  });

  it('is told of in words', () => {
    expect([describeDays(0), describeDays(1), describeDays(2)]).toEqual([
      '0 days',
      '1 day',
      '2 days',
    ]);
  });
});
