import type { RegistriesConfig } from './config/registries.ts';
import type { Problem } from './errors.ts';
import { checkRegistryFiles } from './registry/check-files.ts';
import { createRegistry } from './registry/create-registry.ts';
import { createInspector } from './verify/inspector.ts';
import type { InspectorDeps, StoppableInspector } from './verify/inspector.ts';
import { observeRegistry } from './verify/observed-registry.ts';
import { PinnedTags } from './verify/pinned-tags.ts';
import type { RegistryResult } from './verify/observed-registry.ts';
import { verifyImage } from './verify/verify-image.ts';

/** What asking registries needs of the process, and whom it tells what. */
export interface RegistriesDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Reviews that may wait for registries at a time. */
  readonly mostWaiting: number;
  /** Of credential helpers. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly answered: (host: string, result: RegistryResult) => void;
  readonly answeredBy: InspectorDeps['answeredBy'];
  /** Told of each image that is verified. */
  readonly examined?: InspectorDeps['examined'];
  readonly failed: InspectorDeps['failed'];
  readonly warn: (problem: Problem) => void;
  /** Whether a tag is resolved once for all reviews, and not once for each. */
  readonly pinned?: true;
}

/** Registries, and who asks them. */
export interface Registries {
  readonly inspector: StoppableInspector;
  /** Gives up what is being asked, and closes all connections. */
  close(): void;
}

/** @throws {ImageCheckerError} `config-invalid` with all files for registries that cannot be used */
export function checkRegistries(
  config: RegistriesConfig,
  now: RegistriesDeps['clock'],
): Promise<void> {
  return checkRegistryFiles(config, now);
}

/** Opens nothing yet: the first question does. */
export function openRegistries(config: RegistriesConfig, deps: RegistriesDeps): Registries {
  const { clock: now, random, env, warn, answered, answeredBy, failed, pinned } = deps;
  const { mostWaiting, examined } = deps;
  const registry = createRegistry(config, { now, random, env, warn });
  const observed = observeRegistry(registry, answered);
  const inspector = createInspector({
    registry: pinned === true ? new PinnedTags(observed) : observed,
    verifyImage,
    cache: config.cache,
    isNamed: (host) => Object.hasOwn(config.hosts, host),
    reviewDeadline: config.reviewDeadline,
    mostWaiting,
    now,
    answeredBy,
    failed,
    ...(examined && { examined }),
  });
  return {
    inspector,
    close() {
      inspector.stop();
      registry.close();
    },
  };
}
