import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { registriesSchema } from '../../src/config/registries.ts';
import type { Config } from '../../src/config/schema.ts';
import type { Log, LogFields, LogLevel } from '../../src/record/logger.ts';
import { startService } from '../../src/service.ts';
import type { Service } from '../../src/service.ts';
import type { Credential } from '../../src/setup/pki.ts';
import { ask } from './requests.ts';
import type { Answer, Caller, Question } from './requests.ts';
import type { TestPki } from './certificates.ts';

export const RULES = `apiVersion: image-checker/v1
kind: ImagePolicy
metadata: { name: test-policy }
spec:
  rules:
    - name: trusted-registries
      require: { registries: [docker.io], explicitRegistry: true }
      message: not trusted image!
`;

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

export interface MemoryLog extends Log {
  readonly lines: LogLine[];
}

/** A log that keeps what is written to it. */
export function memoryLog(): MemoryLog {
  const lines: LogLine[] = [];
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields });
    };
  return {
    lines,
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    often: (level, message, fields) => {
      lines.push({ level, message, fields });
    },
    writes: () => true,
  };
}

/** A folder with everything that a service needs to start. */
export interface ServiceFolder {
  readonly folder: string;
  readonly config: Config;
  readonly configFile: string;
  readonly remove: () => Promise<void>;
}

export async function newServiceFolder(pki: TestPki): Promise<ServiceFolder> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'image-checker-service-')));
  const config = configIn(folder);
  const configFile = join(folder, 'config.yaml');
  await writeFile(config.tls.certificate, pki.server.certificate);
  await writeFile(config.tls.key, pki.server.key, { mode: 0o600 });
  await writeFile(config.tls.clientCA, pki.authority.certificate);
  await writeFile(config.rules, RULES);
  await writeFile(configFile, JSON.stringify({ ...config, registries: undefined }, undefined, 2));
  return {
    folder,
    config,
    configFile,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function configIn(folder: string): Config {
  return {
    apiVersion: 'image-checker/v1',
    kind: 'ServiceConfig',
    listen: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0 },
    tls: {
      certificate: join(folder, 'server-cert.pem'),
      key: join(folder, 'server-key.pem'),
      clientCA: join(folder, 'client-ca.pem'),
      allowedClients: ['api-server'],
      minVersion: 'TLSv1.2',
    },
    rules: join(folder, 'rules.yaml'),
    pluginCacheSeconds: 50,
    limits: { bodyBytes: 3 * 1024 * 1024, inFlight: 512, containers: 1000 },
    logging: { level: 'info', format: 'json', sampleAllowed: 1 },
    workers: 1,
    registries: registriesSchema.parse(undefined),
  };
}

export interface ServiceOptions {
  readonly tls?: Partial<Config['tls']>;
  readonly limits?: Partial<Config['limits']>;
  readonly clock?: () => number;
  readonly registry?: Registry;
  /** The text of the rules file. */
  readonly rules?: string;
  readonly registries?: Config['registries'];
}

/** A service that runs on loopback, and what a test does with it. */
export interface TestService extends Service {
  readonly log: MemoryLog;
  readonly config: Config;
  /** Somebody who asks, with a certificate or without one. */
  as(credential?: Credential): Caller;
  /** Asks as the right client. */
  ask(question?: Question): Promise<Answer>;
  /** Messages of the log, as often as they were written. */
  logged(message: string): LogFields[];
  end(): Promise<void>;
}

export async function startTestService(
  pki: TestPki,
  options: ServiceOptions = {},
): Promise<TestService> {
  const { tls, limits, clock = Date.now, registry = new Registry() } = options;
  const { config, remove } = await newServiceFolder(pki);
  if (options.rules !== undefined) await writeFile(config.rules, options.rules);
  const log = memoryLog();
  const full: Config = {
    ...config,
    tls: { ...config.tls, ...tls },
    limits: { ...config.limits, ...limits },
    registries: options.registries ?? config.registries,
  };
  const service = await startService(full, log, clock, registry);
  const as = (credential?: Credential): Caller => ({
    port: service.port,
    ca: pki.authority.certificate,
    ...(credential && { credential }),
  });
  return {
    ...service,
    log,
    config: full,
    as,
    ask: (question) => ask(as(pki.client), question),
    logged: (message) =>
      log.lines.filter((line) => line.message === message).map(({ fields }) => fields),
    async end() {
      await service.stop();
      await remove();
    },
  };
}

/** Waits until so many reviews are under way. */
export async function untilInFlight({ adminPort }: TestService, count: number): Promise<void> {
  const metrics = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  while (!(await metrics()).includes(`\nimage_checker_reviews_in_flight ${count}\n`));
}
