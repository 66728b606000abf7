import type { Change } from './change.ts';
import { readManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';

/** One edit. */
export interface Step {
  readonly text: string;
  readonly change: Change;
}

/** An edit, or undefined when there is nothing to do. */
export type FindStep<T extends Step> = (manifest: Manifest) => T | undefined;

export interface Walk<T extends Step> {
  readonly text: string;
  readonly steps: readonly T[];
}

/** Makes one edit after the other, each on the text that the one before left. */
export function walk<T extends Step>(
  text: string,
  finders: readonly FindStep<T>[],
  file: string | undefined,
): Walk<T> {
  return finders.reduce<Walk<T>>(
    (done, find) => {
      const step = find(readManifest(done.text, file));
      return step === undefined ? done : { text: step.text, steps: [...done.steps, step] };
    },
    { text, steps: [] },
  );
}
