import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { createCheckImage } from './check-image.ts';
import type { Config } from './config/schema.ts';
import { settleAll } from './errors.ts';
import type { Log } from './record/logger.ts';
import { loadPolicy } from './rules/load.ts';
import { createAdminApp } from './transport/admin-app.ts';
import { createApp } from './transport/app.ts';
import { readinessOf } from './transport/readiness.ts';
import {
  createPlainServer,
  createTlsServer,
  listen,
  probeListen,
  STOP_MS,
} from './transport/server.ts';
import { loadTlsMaterial } from './transport/tls-files.ts';
import { logRefusedHandshakes } from './transport/refused-handshakes.ts';

/** A service that runs. */
export interface Service {
  readonly port: number;
  readonly adminPort: number;
  /** Stops accepting, finishes what is in flight (10 s at most) and closes both listeners. */
  stop(): Promise<void>;
}

/**
 * Starts the service, or tells everything that keeps it from starting.
 *
 * @param clock milliseconds since 1970
 * @throws {ImageCheckerError} with all problems of certificates, rules and ports
 */
export async function startService(
  config: Config,
  log: Log,
  clock: () => number,
): Promise<Service> {
  const [material, policy] = await settleAll('config-invalid', [
    loadTlsMaterial(config.tls, clock()),
    loadPolicy(config.rules),
    probeListen(config.listen, 'listen'),
    probeListen(config.admin, 'admin'),
  ]);
  const state = { policy, certificate: material, stopping: false };
  const checkImage = createCheckImage({
    policy: () => state.policy,
    limits: config.limits,
    log,
    newId: randomUUID,
    now: () => performance.now(),
  });
  const app = createApp({
    checkImage,
    allowedClients: config.tls.allowedClients,
    limits: config.limits,
    log,
    clock,
  });
  const tlsServer = createTlsServer(material, config.tls.minVersion, app);
  logRefusedHandshakes(tlsServer, log, clock);
  const reviews = await listen(tlsServer, config.listen, 'listen');
  const adminApp = createAdminApp(() => readinessOf(state, clock()));
  const admin = await listen(createPlainServer(adminApp), config.admin, 'admin');
  return {
    port: reviews.address.port,
    adminPort: admin.address.port,
    async stop() {
      state.stopping = true;
      await reviews.stop(STOP_MS);
      await admin.stop(0);
    },
  };
}
