import type { Problem } from '../errors.ts';

/** Steps from an object down to something in it. */
export type ObjectPath = readonly (string | number)[];

/** An object out of a file, with what its surroundings say about it. */
export interface FoundObject {
  readonly value: unknown;
  /** Of the list that it was an element of, for what does not say so itself. */
  readonly kind: string | undefined;
  readonly apiVersion: string | undefined;
  /** Line and column of what stands at a path, as far as they are known. */
  readonly locate: (path: ObjectPath) => Pick<Problem, 'line' | 'column'>;
}

/** Takes what is found in a text, in order. */
export interface ObjectSink {
  object(found: FoundObject): void;
  problem(problem: Omit<Problem, 'file'>): void;
}
