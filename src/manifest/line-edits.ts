/** One step from an old list of lines to a new one. */
export interface LineEdit {
  readonly kind: 'kept' | 'removed' | 'added';
  readonly line: string;
}

/** Furthest reaching points of one round: for each diagonal (old - new), how far in the old lines. */
type Frontier = ReadonlyMap<number, number>;

/**
 * A shortest way from the old lines to the new ones, removals before additions (E. W. Myers, "An
 * O(ND) Difference Algorithm and Its Variations", 1986).
 */
export function findLineEdits(
  oldLines: readonly string[],
  newLines: readonly string[],
): LineEdit[] {
  const rounds = findRounds(oldLines, newLines);
  const edits: LineEdit[] = [];
  let x = oldLines.length;
  let y = newLines.length;
  for (let round = rounds.length - 1; round >= 0; round--) {
    const from = beginOf(rounds[round] ?? new Map(), x - y, round);
    while (x > from.x && y > from.y) {
      y--;
      edits.push({ kind: 'kept', line: oldLines[--x] ?? '' });
    }
    if (round === 0) break;
    if (from.added) edits.push({ kind: 'added', line: newLines[--y] ?? '' });
    else edits.push({ kind: 'removed', line: oldLines[--x] ?? '' });
  }
  return removalsFirst(edits.reverse());
}

/** Where the lines that are kept in a round begin on a diagonal, and the step that led there. */
function beginOf(
  frontier: Frontier,
  diagonal: number,
  round: number,
): { x: number; y: number; added: boolean } {
  const added = isDown(frontier, diagonal, round);
  const x = startOf(frontier, diagonal, added);
  return { x, y: x - diagonal, added };
}

/** Within a run of changes, as people read it. */
function removalsFirst(edits: readonly LineEdit[]): LineEdit[] {
  const sorted: LineEdit[] = [];
  let added: LineEdit[] = [];
  for (const edit of edits) {
    if (edit.kind === 'added') {
      added.push(edit);
      continue;
    }
    if (edit.kind === 'kept') {
      sorted.push(...added);
      added = [];
    }
    sorted.push(edit);
  }
  return [...sorted, ...added];
}

/** For each round, the frontier that it began with; the last one reaches the end of both lists. */
function findRounds(oldLines: readonly string[], newLines: readonly string[]): Frontier[] {
  const rounds: Frontier[] = [];
  let frontier: Frontier = new Map([[1, 0]]);
  for (let round = 0; round <= oldLines.length + newLines.length; round++) {
    rounds.push(frontier);
    const next = new Map<number, number>();
    for (let diagonal = -round; diagonal <= round; diagonal += 2) {
      let x = startOf(frontier, diagonal, isDown(frontier, diagonal, round));
      while (x < oldLines.length && oldLines[x] === newLines[x - diagonal]) x++;
      next.set(diagonal, x);
      if (x >= oldLines.length && x - diagonal >= newLines.length) return rounds;
    }
    frontier = next;
  }
  return rounds;
}

/** Whether the way to a diagonal adds a line (from the diagonal above) or removes one. */
function isDown(frontier: Frontier, diagonal: number, round: number): boolean {
  if (diagonal === -round) return true;
  return diagonal !== round && at(frontier, diagonal - 1) < at(frontier, diagonal + 1);
}

function startOf(frontier: Frontier, diagonal: number, down: boolean): number {
  return down ? at(frontier, diagonal + 1) : at(frontier, diagonal - 1) + 1;
}

function at(frontier: Frontier, diagonal: number): number {
  return frontier.get(diagonal) ?? -1;
}
