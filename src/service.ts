import type { Config } from './config/schema.ts';
import { settleAll } from './errors.ts';
import type { Log } from './record/logger.ts';
import type { Registry } from './record/metrics.ts';
import { loadParts, startReviews } from './reviews.ts';
import type { Parts } from './reviews.ts';
import { createAdminApp } from './transport/admin-app.ts';
import type { AdminDeps } from './transport/admin-app.ts';
import { createPlainServer } from './transport/http1.ts';
import { listen, logListenerErrors, probeListen } from './transport/listen.ts';

/** A service that runs. */
export interface Service {
  readonly port: number;
  readonly adminPort: number;
  /** Loads rules and certificates anew, as a change of their files does by itself. */
  reload(): Promise<void>;
  /** Stops accepting, finishes what is in flight (10 s at most) and closes both listeners. */
  stop(): Promise<void>;
}

/**
 * Starts the service, or tells everything that keeps it from starting.
 *
 * @param clock milliseconds since 1970
 * @param registry gets the metrics of the service, and what it holds is shown at /metrics
 * @throws {ImageCheckerError} with all problems of certificates, rules and ports
 */
export async function startService(
  config: Config,
  log: Log,
  clock: () => number,
  registry: Registry,
): Promise<Service> {
  const parts = await checkStart(config, clock());
  const reviews = await startReviews(config, parts, { log, clock, registry });
  const { readiness } = reviews;
  const starting = startAdmin(config, { readiness, metrics: registry, log });
  const admin = await starting.catch(async (thrown: unknown) => {
    await reviews.stop();
    throw thrown;
  });
  return {
    port: reviews.port,
    adminPort: admin.port,
    reload: () => reviews.reload(),
    async stop() {
      await reviews.stop();
      await admin.stop();
    },
  };
}

/**
 * What the service needs, read and checked, all of it.
 *
 * @param now milliseconds since 1970
 * @throws {ImageCheckerError} with all problems of certificates, rules, files for registries and ports
 */
export async function checkStart(config: Config, now: number): Promise<Parts> {
  const [parts] = await settleAll('config-invalid', [
    loadParts(config, now),
    probeListen(config.listen, 'listen'),
    probeListen(config.admin, 'admin'),
  ]);
  return parts;
}

/** The admin listener, while it listens. */
export interface Admin {
  readonly port: number;
  stop(): Promise<void>;
}

/** @throws {ImageCheckerError} `port-unavailable` */
export async function startAdmin(config: Config, deps: AdminDeps): Promise<Admin> {
  const server = createPlainServer(createAdminApp(deps));
  const running = await listen(server, config.admin, 'admin');
  logListenerErrors(server.server, deps.log);
  return { port: running.address.port, stop: () => running.stop(0) };
}
