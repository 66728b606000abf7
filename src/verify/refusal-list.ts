/** Names or reasons in one message: the whole reason of a review has 1 KiB. */
const MAX_LISTED = 3;

/** Each once, with how often it is there. */
export function tally(texts: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => (count === 1 ? text : `${text} (${count})`));
}

/** The first few, and how many more. */
export function list(texts: readonly string[], separator = ', '): string {
  const more = texts.length - MAX_LISTED;
  const shown = more > 0 ? [...texts.slice(0, MAX_LISTED), `${more} more`] : texts;
  return shown.join(separator);
}
