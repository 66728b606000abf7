import type { Config } from './config/schema.ts';
import { watchFiles } from './files/watch-files.ts';
import type { Log } from './record/logger.ts';
import { createReloader } from './reloader.ts';
import { loadPolicy } from './rules/load.ts';
import type { Policy } from './rules/policy.ts';
import type { FailedReload } from './transport/readiness.ts';
import type { TlsServer } from './transport/tls-server.ts';
import { loadTlsMaterial } from './transport/tls-files.ts';
import type { TlsMaterial } from './transport/tls-files.ts';

/** After a failed reload. */
const RETRY_MS = 15_000;

/** What a reload needs of the service. */
export interface ReloadDeps {
  readonly config: Config;
  /** What is in force; a reload replaces it whole. */
  readonly state: { policy: Policy; policyLoadedAt: number; certificate: TlsMaterial };
  readonly tlsServer: TlsServer;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** The reloads of a service: rules by themselves, certificates and client CA together. */
export interface Reloaders {
  readonly reloadAll: () => Promise<void>;
  /** Reloads when the files change after it resolves, until the function that it gives is called. */
  readonly watch: () => Promise<() => void>;
  readonly failures: () => readonly FailedReload[];
  /** Whether the last loading of each was a success. */
  readonly results: () => Readonly<Record<string, boolean>>;
}

export function createReloaders(deps: ReloadDeps): Reloaders {
  const { config, state, log, clock } = deps;
  const rules = createReloader({
    what: 'rules',
    load: () => loadPolicy(config.rules),
    apply: (policy) => {
      applyPolicy(policy, deps);
    },
    log,
    clock,
  });
  const certificates = createReloader({
    what: 'certificates',
    load: () => loadTlsMaterial(config.tls, clock()),
    apply: (material) => {
      applyMaterial(material, deps);
    },
    log,
    clock,
  });
  return {
    async reloadAll() {
      await Promise.all([rules.reload(), certificates.reload()]);
    },
    async watch() {
      const { certificate, key, clientCA } = config.tls;
      const unwatchRules = await watchFiles(
        () => [config.rules, ...state.policy.files],
        () => void rules.reload(),
      );
      const unwatchCertificates = await watchFiles(
        () => [certificate, key, clientCA],
        () => void certificates.reload(),
      );
      // What failed for a passing reason (no file handles left) is not told by a change of a file.
      const retry = setInterval(() => {
        for (const each of [rules, certificates]) {
          if (each.failure() !== undefined) void each.reload();
        }
      }, RETRY_MS).unref();
      return () => {
        clearInterval(retry);
        unwatchRules();
        unwatchCertificates();
      };
    },
    failures: () => [rules, certificates].map((each) => each.failure()).filter(isFailure),
    results: () => ({
      rules: rules.failure() === undefined,
      certificates: certificates.failure() === undefined,
    }),
  };
}

function isFailure(failure: FailedReload | undefined): failure is FailedReload {
  return failure !== undefined;
}

function applyPolicy(policy: Policy, { config, state, log, clock }: ReloadDeps): void {
  if (policy.hash === state.policy.hash) return;
  const fewer = policy.rules.length < state.policy.rules.length;
  state.policy = policy;
  state.policyLoadedAt = clock();
  // A file that was cut off while it was written may well be a valid one.
  log[fewer ? 'warn' : 'info']('rules reloaded', {
    policy: policy.label,
    rules: policy.rules.length,
    ...(fewer ? { note: 'fewer rules than before' } : {}),
    // Until then a kube-apiserver may answer from its cache, by the rules from before.
    oldAnswersForgottenBy: new Date(clock() + config.pluginCacheSeconds * 1000).toISOString(),
  });
}

function applyMaterial(material: TlsMaterial, { state, tlsServer, log }: ReloadDeps): void {
  const { certificate, key, clientCA } = state.certificate;
  const same =
    material.certificate === certificate && material.key === key && material.clientCA === clientCA;
  if (same) return;
  tlsServer.renew(material);
  state.certificate = material;
  log.info('certificates reloaded', { validTo: new Date(material.validTo).toISOString() });
}
