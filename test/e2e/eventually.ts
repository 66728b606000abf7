/** Far beyond what any of it takes, so that only what never happens fails. */
const LIMIT_MS = 90_000;
const PAUSE_MS = 50;

/**
 * Looks until there is something to see.
 *
 * @param what for the error, when there never is
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > end) throw new Error(`expected ${what} within ${LIMIT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
