import { join } from 'node:path';
import { loadConfig } from '../config/load-config.ts';
import type { Config } from '../config/schema.ts';
import { ImageCheckerError } from '../errors.ts';
import { checkRegistryFiles } from '../registry/check-files.ts';
import { layOut, pathOf } from '../setup/layout.ts';
import { readDisk } from './disk.ts';
import type { Findings } from './finding.ts';
import type { KubeconfView } from './kubeconf-checks.ts';
import { checkReadable } from './readable-checks.ts';

/** The service's own files. */
export interface ServiceView {
  readonly folder: string;
  readonly configFile: string;
  /** Undefined when it cannot be read: the files are where setup puts them then. */
  readonly config: Config | undefined;
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
  readonly caCertificate: string;
  readonly caKey: string;
  readonly rules: string;
}

export async function checkService(folder: string, findings: Findings): Promise<ServiceView> {
  const layout = layOut({ admission: folder, service: folder }, folder);
  const file = pathOf(layout, 'serviceConfig');
  const config = await readConfig(file, findings);
  const view = {
    folder,
    configFile: file,
    config,
    certificate: config?.tls.certificate ?? pathOf(layout, 'serverCertificate'),
    key: config?.tls.key ?? pathOf(layout, 'serverKey'),
    clientCa: config?.tls.clientCA ?? pathOf(layout, 'clientCa'),
    caCertificate: pathOf(layout, 'caCertificate'),
    caKey: pathOf(layout, 'caKey'),
    rules: config?.rules ?? join(folder, 'rules.yaml'),
  };
  const { certificate, key, clientCa, rules } = view;
  const named = [file, rules, certificate, clientCa, ...registryFiles(config)];
  await checkReadable(key, named, findings);
  return view;
}

function registryFiles(config: Config | undefined): readonly string[] {
  const { credentials = [], hosts = {} } = config?.registries ?? {};
  const ofHosts = Object.values(hosts).flatMap((one) => [
    one.ca,
    one.clientCertificate,
    one.clientKey,
  ]);
  return [...credentials, ...ofHosts].filter((path) => path !== undefined);
}

async function readConfig(file: string, findings: Findings): Promise<Config | undefined> {
  const read = await readDisk(file);
  if ('problem' in read) {
    findings.fail('service-config', read.problem);
    return undefined;
  }
  try {
    const config = await loadConfig(file);
    findings.ok('service-config', 'is a config that the service takes', file);
    await checkRegistries(config, file, findings);
    return config;
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    for (const problem of thrown.problems) findings.fail('service-config', problem);
    return undefined;
  }
}

/** Without them the service does not start. */
async function checkRegistries(
  { registries }: Config,
  file: string,
  findings: Findings,
): Promise<void> {
  const { credentials, hosts } = registries;
  if (credentials.length === 0 && Object.keys(hosts).length === 0) return;
  try {
    await checkRegistryFiles(registries, () => 0);
    findings.ok('service-registries', 'the files for registries can be used', file);
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    for (const problem of thrown.problems) findings.fail('service-registries', problem);
  }
}

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);
const HTTPS_PORT = 443;

/** Whether the service that is asked is this machine's own. */
export function isLocal({ kubeconf }: KubeconfView): boolean {
  return LOOPBACK.has(kubeconf.server.hostname);
}

/** Where the service is this machine's own, its port is known. */
export function checkPort(
  view: KubeconfView,
  { config, configFile }: ServiceView,
  findings: Findings,
): void {
  const { file, kubeconf } = view;
  const { server } = kubeconf;
  if (config === undefined || !isLocal(view)) return;
  const port = server.port === '' ? HTTPS_PORT : Number(server.port);
  if (port === config.listen.port) {
    findings.ok('kubeconf-port', `port ${port}, as the service has it`, file);
    return;
  }
  const message = `server: expected port ${config.listen.port}, as ${configFile} has it, got ${port}`;
  const hint = `write https://${server.hostname}:${config.listen.port}${server.pathname}`;
  findings.fail('kubeconf-port', { file, message, hint });
}
