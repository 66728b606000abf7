/** The candidate that was most likely meant, or undefined when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein distance; both words cut at 64 characters, as foreign input may be long. */
function editDistance(left: string, right: string): number {
  const target = right.slice(0, 64);
  let row = Array.from({ length: target.length + 1 }, (_, index) => index);
  for (const [index, character] of Array.from(left.slice(0, 64)).entries()) {
    const next = [index + 1];
    for (let column = 0; column < target.length; column++) {
      const substitution = (row[column] ?? 0) + (target[column] === character ? 0 : 1);
      next.push(Math.min(substitution, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[target.length] ?? 0;
}
