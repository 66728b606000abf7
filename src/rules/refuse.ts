import { z } from 'zod';

export type Refinement = z.core.$RefinementCtx;

/**
 * Adds an issue to what is looked at, or to a place within it.
 *
 * @returns what stands for no value, for transforms
 */
export function refuse(
  context: Refinement,
  message: string,
  hint: string,
  path: readonly (string | number)[] = [],
): never {
  context.addIssue({ code: 'custom', message, path: [...path], params: { hint } });
  return z.NEVER;
}
