/**
 * What a client may send on a connection of HTTP/2 that asks for nothing: pings, settings,
 * priorities, and streams that it takes back. Each costs it some bytes and us some work, and none
 * of it ever ends (CVE-2019-9512, -9513, -9515, CVE-2023-44487).
 */

/** All streams of a connection may be given up at once, twice over, when the service is slow. */
const BURST = 500;
/** Go's client pings an idle connection twice a minute. */
const PER_SECOND = 20;

/** Takes one from what is left, and says whether there was one. */
export type Spend = (now: number) => boolean;

/** @param started milliseconds, as all times here */
export function createBudget(started: number): Spend {
  let left = BURST;
  let last = started;
  return (now) => {
    left = Math.min(BURST, left + ((now - last) / 1000) * PER_SECOND);
    last = now;
    left -= 1;
    return left >= 0;
  };
}
