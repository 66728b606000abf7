import { z } from 'zod';
import { registriesSchema } from './registries.ts';

/** A port of a listener; 0 leaves the choice to the system. */
const port = z.int().min(0).max(65_535);
const file = z.string().min(1);

/** Pod annotations alone may be 256 KiB, and images many: 3 MiB. */
const DEFAULT_BODY_BYTES = 3 * 1024 * 1024;
/** More reviews at once than a control plane has pods starting; what is beyond is shed. */
const DEFAULT_IN_FLIGHT = 512;
/** Containers of one pod: real ones have fewer than ten. */
const DEFAULT_CONTAINERS = 1000;

/** Each loads the rules, and holds its own limits. */
const MAX_WORKERS = 64;

/** The plugin takes no longer TTL: kube-apiserver would not start. */
const MAX_PLUGIN_CACHE_SECONDS = 30 * 60;

/** The service's config file, format `image-checker/v1` `ServiceConfig`. */
export const serviceConfigSchema = z.strictObject({
  apiVersion: z.literal('image-checker/v1'),
  kind: z.literal('ServiceConfig'),
  listen: z
    .strictObject({
      host: z.string().min(1).default('0.0.0.0'),
      port: port.default(1234),
    })
    .prefault({}),
  admin: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.default(9090),
    })
    .prefault({}),
  tls: z.strictObject({
    certificate: file,
    key: file,
    clientCA: file,
    allowedClients: z.array(z.string().min(1)).min(1).default(['api-server']),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  }),
  rules: file,
  /**
   * The larger of allowTTL and denyTTL of admission_config.yaml: for how long kube-apiserver may go
   * on by answers from before a change of the rules. It is only ever told to the operator.
   */
  pluginCacheSeconds: z
    .int()
    .min(0)
    .max(MAX_PLUGIN_CACHE_SECONDS)
    .default(MAX_PLUGIN_CACHE_SECONDS),
  limits: z
    .strictObject({
      bodyBytes: z
        .int()
        .min(1024)
        .max(64 * 1024 * 1024)
        .default(DEFAULT_BODY_BYTES),
      inFlight: z.int().min(1).max(100_000).default(DEFAULT_IN_FLIGHT),
      containers: z.int().min(1).max(100_000).default(DEFAULT_CONTAINERS),
    })
    .prefault({}),
  logging: z
    .strictObject({
      level: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
      format: z.enum(['json', 'pretty']).default('json'),
      /** Of the reviews that are allowed without a word, one in so many is logged. */
      sampleAllowed: z.int().min(1).max(1_000_000).default(1),
    })
    .prefault({}),
  /** Processes that serve; `auto`: one for each processor. */
  workers: z.union([z.int().min(1).max(MAX_WORKERS), z.literal('auto')]).default(1),
  registries: registriesSchema,
});

/** Paths are as written until `loadConfig` has made them absolute. */
export type Config = z.output<typeof serviceConfigSchema>;
