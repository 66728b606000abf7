import { PLUGIN_CACHE_SECONDS } from './admission-configuration.ts';
import { TARGETS } from './layout.ts';

export interface ServiceConfigValues {
  readonly port: number;
  readonly adminPort: number;
}

/** The service's own config file. */
export function renderServiceConfig({ port, adminPort }: ServiceConfigValues): string {
  return `# image-checker serve --config <this file>. Paths are relative to this file.
apiVersion: image-checker/v1
kind: ServiceConfig

# Where kube-apiserver asks: https, with a client certificate, always.
listen:
  host: 0.0.0.0
  port: ${port}

# /healthz, /readyz and /metrics over plain http: keep it on the machine itself.
admin:
  host: 127.0.0.1
  port: ${adminPort}

tls:
  certificate: ${TARGETS.serverCertificate.name}
  key: ${TARGETS.serverKey.name}
  clientCA: ${TARGETS.clientCa.name}
  # Who may ask: the CN, or a whole subject alternative name, of the client certificate.
  allowedClients: [api-server]
  minVersion: TLSv1.2

rules: ${TARGETS.rules.name}
# The larger of allowTTL and denyTTL in admission_config.yaml: how long kube-apiserver may go on by
# answers from before a change of the rules. The log of a reload says when that is over.
pluginCacheSeconds: ${PLUGIN_CACHE_SECONDS}

limits:
  # Bytes of one review: the annotations of a pod alone may be 256 KiB.
  bodyBytes: 3145728
  # Reviews at a time; what is over is turned away and asked again.
  inFlight: 512
  # Containers of one review.
  containers: 1000

logging:
  level: info
  format: json # or pretty
  # Of the reviews that are allowed without a word, one in so many is logged. Denials, warnings and
  # break-glass always are.
  sampleAllowed: 1

# Processes that answer reviews; auto: one for each processor. A kube-apiserver asks over one
# connection, which one process serves, so more than 1 pays where several of them ask.
workers: 1
`;
}
