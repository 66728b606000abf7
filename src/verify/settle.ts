import { ImageCheckerError } from '../errors.ts';

/**
 * Waits for all findings. A refusal among them stands, whatever could not be found out beside it;
 * an answer that contradicts itself is worse than one that is missing.
 *
 * @param decides whether what was found is enough for a verdict, though something is missing
 * @throws what was not `registry-unavailable`; or that, when what was found decides nothing
 */
export async function settle<T>(
  findings: readonly Promise<T>[],
  decides: (found: readonly T[]) => boolean,
): Promise<readonly T[]> {
  const settled = await Promise.allSettled(findings);
  const failures = settled.flatMap((each): unknown[] =>
    each.status === 'rejected' ? [each.reason] : [],
  );
  const unexpected = failures.find((failure) => !isUnavailable(failure));
  if (unexpected !== undefined) throw unexpected as Error;
  const found = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (failures.length > 0 && !decides(found)) throw failures[0] as Error;
  return found;
}

function isUnavailable(failure: unknown): boolean {
  return failure instanceof ImageCheckerError && failure.code === 'registry-unavailable';
}
