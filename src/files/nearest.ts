/** The candidate that was most likely meant, or undefined when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const asked = word.slice(0, MAX_LENGTH).toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(asked.length * TOLERANCE)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(asked, candidate.slice(0, MAX_LENGTH).toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** In characters: foreign input may be long, and none of our words is. */
const MAX_LENGTH = 64;
/** Edits for each character of the word: enough to get from `registry` to `registries`. */
const TOLERANCE = 0.4;

/** Edits from one word to another; two neighbours that were swapped (`nmae`) are one edit. */
function editDistance(left: string, right: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let index = 1; index <= left.length; index++) {
    const next = [index];
    for (let column = 1; column <= right.length; column++) {
      const substitution = at(row, column - 1) + (left[index - 1] === right[column - 1] ? 0 : 1);
      const swapped =
        left[index - 1] === right[column - 2] && left[index - 2] === right[column - 1];
      const swap = swapped ? at(before, column - 2) + 1 : Infinity;
      next.push(Math.min(substitution, swap, at(row, column) + 1, at(next, column - 1) + 1));
    }
    before = row;
    row = next;
  }
  return at(row, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
