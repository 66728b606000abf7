import type { Problem } from '../errors.ts';

/** What the client needs of the process it runs in. */
export interface RegistryDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1: spreads second attempts. */
  readonly random: () => number;
  /** Of credential helpers, `PATH` above all. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of a file that cannot be used any more, while what was in it before stays in use. */
  readonly warn?: (problem: Problem) => void;
}
