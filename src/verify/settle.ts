import { ImageCheckerError } from '../errors.ts';

/**
 * Waits for all findings. A refusal among them stands, whatever could not be found out beside it;
 * an answer that contradicts itself is worse than one that is missing.
 *
 * @param decides whether what was found is enough for a verdict, though something is missing
 * @throws what was neither `registry-limited` nor `registry-unavailable`; or the first of these,
 *   when what was found decides nothing
 */
export async function settle<T>(
  findings: readonly Promise<T>[],
  decides: (found: readonly T[]) => boolean,
): Promise<readonly T[]> {
  const settled = await Promise.allSettled(findings);
  const failures = settled.flatMap((each): unknown[] =>
    each.status === 'rejected' ? [each.reason] : [],
  );
  const unexpected = failures.find((failure) => !isMissing(failure));
  if (unexpected !== undefined) throw unexpected as Error;
  const found = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const [missing] = failures.toSorted((a, b) => Number(isLimited(b)) - Number(isLimited(a)));
  if (missing !== undefined && !decides(found)) throw missing as Error;
  return found;
}

/** What is known to be no answer. */
export function isMissing(failure: unknown): failure is ImageCheckerError {
  if (!(failure instanceof ImageCheckerError)) return false;
  return failure.code === 'registry-limited' || failure.code === 'registry-unavailable';
}

/** Worse than no answer: it is never excused. */
function isLimited(failure: unknown): boolean {
  return failure instanceof ImageCheckerError && failure.code === 'registry-limited';
}
