import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { canonicalRegistry } from '../parse/image-reference.ts';
import { askHelper } from '../registry/credential-helper.ts';
import type { Secret } from '../registry/credential.ts';
import { findAuth, parseDockerConfig, serverOf } from '../registry/docker-config.ts';
import type { DockerConfig } from '../registry/docker-config.ts';

/** The `auths` of a pull secret: what a kubelet understands of docker's format. */
export type Auths = Readonly<Record<string, { readonly auth: string }>>;

export interface AuthSource {
  /** In docker's format. */
  readonly file: string;
  /** Empty: every registry that the file knows. */
  readonly registries: readonly string[];
  /** Of credential helpers. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * The credentials for a cluster; those of helpers are asked for, since a kubelet has none of them.
 *
 * @throws {ImageCheckerError} `config-invalid` with everything that cannot be given to a kubelet
 */
export async function readAuths(source: AuthSource): Promise<Auths> {
  const { file } = source;
  const text = await readTextFile(
    file,
    '`docker login` writes it, and --docker-config names another',
  );
  const config = inFile(file, () => parseDockerConfig(text));
  const hosts =
    source.registries.length > 0 ? source.registries.map(canonicalRegistry) : hostsOf(config);
  const problems: Problem[] = [];
  const auths = new Map<string, { readonly auth: string }>();
  for (const host of new Set(hosts)) {
    const found = await secretsOf(config, host, source);
    if (found.size === 0)
      problems.push({ file, message: `expected credentials for ${host}, got none` });
    for (const [key, secret] of found) {
      if (secret.kind === 'password') auths.set(key, { auth: encode(secret) });
      else
        problems.push({
          file,
          message: `expected a password for ${host}, got an identity token, which no kubelet can use`,
        });
    }
  }
  if (auths.size === 0 && problems.length === 0)
    problems.push({ file, message: 'expected credentials, got none' });
  if (problems.length > 0) throw new ImageCheckerError('config-invalid', problems);
  return Object.fromEntries(auths);
}

function hostsOf({ auths, helpers }: DockerConfig): readonly string[] {
  return [...auths.map(({ host }) => host), ...helpers.keys()];
}

async function secretsOf(
  config: DockerConfig,
  host: string,
  { file, env, signal }: AuthSource,
): Promise<ReadonlyMap<string, Secret>> {
  const server = serverOf(host);
  const helper = config.helpers.get(host) ?? config.store;
  const helped = helper === undefined ? undefined : await askHelper(helper, server, env, signal);
  if (helped !== undefined) return new Map([[server, helped]]);
  const entries = config.auths.filter((each) => each.host === host);
  const secrets = entries.flatMap((entry): [string, Secret][] => {
    const secret = inFile(file, () => findAuth({ ...config, auths: [entry] }, host, entry.path));
    return secret === undefined ? [] : [[entry.key, secret]];
  });
  return new Map(secrets);
}

function encode({ username, password }: Extract<Secret, { readonly kind: 'password' }>): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

function inFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    throw new ImageCheckerError(
      thrown.code,
      thrown.problems.map((each) => ({ ...each, file })),
    );
  }
}
