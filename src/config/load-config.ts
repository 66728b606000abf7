import { dirname, resolve } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import { readDocument } from '../files/document.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import type { RegistriesConfig, RegistryHostConfig } from './registries.ts';
import { serviceConfigSchema } from './schema.ts';
import type { Config } from './schema.ts';

const HINT = '`image-checker setup` writes a first config.yaml';

/**
 * Reads the service's config file; the paths in it come out absolute.
 *
 * @throws {ImageCheckerError} `file-unreadable`, or `config-invalid` with every mistake in it
 */
export async function loadConfig(file: string): Promise<Config> {
  const read = readDocument(
    { file, text: (await readPlainFile(file, HINT)).text },
    serviceConfigSchema,
  );
  if (!read.ok) throw new ImageCheckerError('config-invalid', read.problems);
  return withAbsolutePaths(read.value, dirname(resolve(file)));
}

function withAbsolutePaths(config: Config, folder: string): Config {
  const { tls } = config;
  return {
    ...config,
    rules: resolve(folder, config.rules),
    tls: {
      ...tls,
      certificate: resolve(folder, tls.certificate),
      key: resolve(folder, tls.key),
      clientCA: resolve(folder, tls.clientCA),
    },
    registries: withAbsoluteFiles(config.registries, folder),
  };
}

function withAbsoluteFiles(registries: RegistriesConfig, folder: string): RegistriesConfig {
  const absolute = (host: RegistryHostConfig): RegistryHostConfig => ({
    ...host,
    ...pathIn(folder, 'ca', host.ca),
    ...pathIn(folder, 'clientCertificate', host.clientCertificate),
    ...pathIn(folder, 'clientKey', host.clientKey),
  });
  const hosts = Object.entries(registries.hosts);
  return {
    ...registries,
    credentials: registries.credentials.map((file) => resolve(folder, file)),
    hosts: Object.fromEntries(hosts.map(([name, host]) => [name, absolute(host)])),
  };
}

function pathIn<K extends string>(
  folder: string,
  key: K,
  file: string | undefined,
): Partial<Record<K, string>> {
  return file === undefined ? {} : ({ [key]: resolve(folder, file) } as Record<K, string>);
}
