import { z } from 'zod';
import { refuse } from './refuse.ts';
import type { Refinement } from './refuse.ts';

/** The keys of `require` that the registry answers. */
export const REGISTRY_KEYS = [
  'signatures',
  'attestations',
  'digestMatchesTag',
  'maxAge',
  'platforms',
] as const;

/** Whether anything is asked that only the registry can answer. */
export function asksRegistry(
  require: Partial<Record<(typeof REGISTRY_KEYS)[number], unknown>> | undefined,
): boolean {
  return REGISTRY_KEYS.some((key) => require?.[key] !== undefined);
}

export const onErrorSchema = z
  .enum(['deny', 'warn', 'allow'])
  .optional()
  .describe(
    'What becomes of an image that could not be checked, such as when its registry is down: deny (default); warn and allow let it run, and say so. What was checked and refused stays refused.',
  );

interface OnErrorSpec {
  readonly onError?: string | undefined;
  readonly require?: object | undefined;
}

export function checkOnError({ onError, require }: OnErrorSpec, context: Refinement): void {
  if (onError === undefined || asksRegistry(require)) return;
  // What is asked of a registry may be what is misspelt.
  if (context.issues.some(({ code }) => code === 'unrecognized_keys')) return;
  const message = 'onError does nothing: the rule asks nothing of a registry';
  const hint = `drop it, or require one of ${REGISTRY_KEYS.join(', ')}`;
  refuse(context, message, hint, ['onError']);
}
