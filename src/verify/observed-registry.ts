import { ImageCheckerError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Registry, Repository } from '../registry/registry.ts';

/** What came of one question to a registry. */
export type RegistryResult =
  'answered' | 'missing' | 'unavailable' | 'limited' | 'corrupt' | 'failed';

const RESULTS: ReadonlyMap<ErrorCode, RegistryResult> = new Map([
  ['registry-unavailable', 'unavailable'],
  ['registry-limited', 'limited'],
  ['registry-corrupt', 'corrupt'],
]);

/** The same registry, of whose every answer somebody is told. */
export function observeRegistry(
  registry: Registry,
  told: (host: string, result: RegistryResult) => void,
): Registry {
  const observe = async <T>({ registry: host }: Repository, asked: Promise<T>): Promise<T> => {
    try {
      const answer = await asked;
      told(host, answer === undefined ? 'missing' : 'answered');
      return answer;
    } catch (thrown) {
      told(host, resultOf(thrown));
      throw thrown;
    }
  };
  return {
    manifest: (repository, ...rest) => observe(repository, registry.manifest(repository, ...rest)),
    blob: (repository, ...rest) => observe(repository, registry.blob(repository, ...rest)),
    referrers: (repository, ...rest) =>
      observe(repository, registry.referrers(repository, ...rest)),
  };
}

function resultOf(thrown: unknown): RegistryResult {
  if (!(thrown instanceof ImageCheckerError)) return 'failed';
  return RESULTS.get(thrown.code) ?? 'failed';
}
