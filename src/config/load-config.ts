import { dirname, resolve } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import { readDocument } from '../files/document.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { serviceConfigSchema } from './schema.ts';
import type { Config } from './schema.ts';

const HINT = '`image-checker setup` writes a first config.yaml';

/**
 * Reads the service's config file; the paths in it come out absolute.
 *
 * @throws {ImageCheckerError} `file-unreadable`, or `config-invalid` with every mistake in it
 */
export async function loadConfig(file: string): Promise<Config> {
  const read = readDocument({ file, text: await readTextFile(file, HINT) }, serviceConfigSchema);
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
  };
}
