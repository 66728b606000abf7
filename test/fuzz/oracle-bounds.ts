/** The oracle backtracks: beyond so many wildcards it would take longer than anybody waits. */
const MAX_WILDCARDS = 5;

/**
 * Whether the oracle of patterns speaks of this one: it wants hosts in lower case and docker.io by
 * its own name, and takes its time over wildcards.
 */
export function isWithinOracle(pattern: string): boolean {
  const wildcards = pattern.split('*').length - 1;
  return (
    wildcards <= MAX_WILDCARDS &&
    pattern.length <= 300 &&
    !/[A-Z]/.test(pattern) &&
    !pattern.includes('index.docker.io')
  );
}
