import { ImageCheckerError, settleAll } from '../errors.ts';
import type { RegistryDeps } from './deps.ts';
import { parseDockerConfig } from './docker-config.ts';
import type { RegistrySettings } from './parts.ts';
import { TlsMaterial } from './tls-material.ts';
import { WatchedFile } from './watched-file.ts';

/**
 * Reads every file that the settings name, as the client does when it needs it.
 *
 * @throws {ImageCheckerError} `config-invalid` with all of them that cannot be used
 */
export async function checkRegistryFiles(
  { credentials, hosts }: RegistrySettings,
  now: RegistryDeps['now'],
): Promise<void> {
  const deps = { now };
  await settleAll('config-invalid', [
    ...credentials.map((file) => check(new WatchedFile(file, parseDockerConfig, deps).read())),
    ...Object.values(hosts).map((host) => check(new TlsMaterial(host, deps).context())),
  ]);
}

/** To the client it is a question that cannot be asked, here a mistake in the config. */
async function check(reading: Promise<unknown>): Promise<void> {
  try {
    await reading;
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    throw new ImageCheckerError('config-invalid', thrown.problems, { cause: thrown });
  }
}
