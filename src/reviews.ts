import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { createCheckImage } from './check-image.ts';
import type { Config } from './config/schema.ts';
import { describeProblem, messageOf, settleAll } from './errors.ts';
import { createDecisionLog } from './record/decision-log.ts';
import type { Log } from './record/logger.ts';
import { createMetrics } from './record/metrics.ts';
import type { Metrics, MetricsProbe, Registry } from './record/metrics.ts';
import { checkRegistries, openRegistries } from './registries.ts';
import type { Registries, RegistriesDeps } from './registries.ts';
import { createReloaders } from './reload.ts';
import { loadPolicy } from './rules/load.ts';
import type { Policy } from './rules/policy.ts';
import { STOP_MS } from './transport/limits.ts';
import { listen, logListenerErrors } from './transport/listen.ts';
import { createListeners } from './transport/listeners.ts';
import { watchLoopDelay } from './transport/loop-delay.ts';
import { readinessOf } from './transport/readiness.ts';
import type { Readiness, ServiceState } from './transport/readiness.ts';
import { loadTlsMaterial } from './transport/tls-files.ts';
import type { TlsMaterial } from './transport/tls-files.ts';
import { logRefusedHandshakes } from './transport/refused-handshakes.ts';
import { createTlsServer } from './transport/tls-server.ts';
import type { Listeners } from './transport/tls-server.ts';
import { VERSION } from './version.ts';

/** Of the time in which what is in flight is finished: what is left for saying that nothing came of it. */
const LAST_WORDS_MS = 1_000;

/** Of the reviews in flight: a registry that hangs leaves room for those that need none. */
const WAITING_SHARE = 0.5;

/** The part of a service that answers reviews. */
export interface Reviews {
  readonly port: number;
  readonly readiness: () => Readiness;
  /** Loads rules and certificates anew, as a change of their files does by itself. */
  reload(): Promise<void>;
  /** Stops accepting, and finishes what is in flight (10 s at most). */
  stop(): Promise<void>;
}

/** What a service is made of, checked. */
export interface Parts {
  readonly material: TlsMaterial;
  readonly policy: Policy;
}

/**
 * Reads what reviews are answered with.
 *
 * @param now milliseconds since 1970
 * @throws {ImageCheckerError} with all problems of certificates, rules and files for registries
 */
export async function loadParts(config: Config, now: number): Promise<Parts> {
  const [material, policy] = await settleAll('config-invalid', [
    loadTlsMaterial(config.tls, now),
    loadPolicy(config.rules),
    checkRegistries(config.registries, () => now),
  ]);
  return { material, policy };
}

/**
 * Listens for reviews, and answers them.
 *
 * @param registry gets the metrics
 */
export async function startReviews(
  config: Config,
  { material, policy }: Parts,
  { log, clock, registry }: ReviewsDeps,
): Promise<Reviews> {
  const loop = watchLoopDelay();
  const state: MutableState = {
    policy,
    policyLoadedAt: clock(),
    certificate: material,
    stopping: false,
    loopDelay: loop.tooLate,
    load: { inFlight: 0 },
  };
  const probe: MetricsProbe = {
    ...probeOf(state),
    ready: () => readiness().ready,
    reloads: () => reloaders.results(),
    registryHosts: Object.keys(config.registries.hosts),
  };
  const metrics = createMetrics(registry, probe, VERSION);
  const registries = openRegistries(config.registries, {
    ...registriesDeps(log, metrics),
    clock,
    mostWaiting: Math.ceil(config.limits.inFlight * WAITING_SHARE),
  });
  const tlsServer = createTlsServer(
    material,
    config.tls.minVersion,
    reviewListeners(config, state, { log, metrics, registries }, clock),
    metrics.transport,
  );
  logRefusedHandshakes(tlsServer.secure, log, clock);
  const reloaders = createReloaders({ config, state, tlsServer, log, clock });
  const readiness = (): Readiness => readinessOf(state, clock(), reloaders.failures());
  const reviews = await listen(tlsServer, config.listen, 'listen');
  logListenerErrors(tlsServer.server, log);
  const unwatch = await reloaders.watch();
  // What changed between the first reading and the watch is not told by it.
  await reloaders.reloadAll();
  return {
    port: reviews.address.port,
    readiness,
    reload: reloaders.reloadAll,
    async stop() {
      state.stopping = true;
      unwatch();
      // What waits for a registry is denied while its connection is still there to say so.
      const giveUp = setTimeout(registries.inspector.stop, STOP_MS - LAST_WORDS_MS);
      await reviews.stop(STOP_MS);
      clearTimeout(giveUp);
      registries.close();
      loop.stop();
    },
  };
}

export interface ReviewsDeps {
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly registry: Registry;
}

/** What is in force; replaced whole, between two reviews. */
interface MutableState extends ServiceState {
  policy: Policy;
  policyLoadedAt: number;
  certificate: TlsMaterial;
  stopping: boolean;
  readonly load: { inFlight: number };
}

function probeOf(state: MutableState): Omit<MetricsProbe, 'ready' | 'reloads' | 'registryHosts'> {
  return {
    policy: () => state.policy,
    policyLoadedAt: () => state.policyLoadedAt,
    certificate: () => state.certificate,
    reviewsInFlight: () => state.load.inFlight,
  };
}

function registriesDeps(log: Log, metrics: Metrics): Omit<RegistriesDeps, 'clock' | 'mostWaiting'> {
  const { answered, answeredBy } = metrics.registries;
  return {
    random: Math.random,
    env: process.env,
    answered,
    answeredBy,
    failed(thrown) {
      log.error('an image could not be checked', { error: messageOf(thrown) });
    },
    warn(problem) {
      log.warn(describeProblem(problem), { hint: problem.hint });
    },
  };
}

interface ReviewParts {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly registries: Registries;
}

function reviewListeners(
  config: Config,
  state: MutableState,
  { log, metrics, registries }: ReviewParts,
  clock: () => number,
): Listeners {
  const checkImage = createCheckImage({
    policy: () => state.policy,
    limits: config.limits,
    inspector: registries.inspector,
    record: createDecisionLog(log, config.logging.sampleAllowed),
    log,
    metrics: metrics.reviews,
    newId: randomUUID,
    now: () => performance.now(),
  });
  return createListeners({
    checkImage,
    allowedClients: config.tls.allowedClients,
    clients: metrics.clients,
    limits: config.limits,
    load: state.load,
    metrics: metrics.transport,
    log,
    clock,
  });
}
