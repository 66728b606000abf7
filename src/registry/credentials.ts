import { LRUCache } from 'lru-cache';
import { askHelper } from './credential-helper.ts';
import type { Credential, Secret } from './credential.ts';
import type { RegistryDeps } from './deps.ts';
import { findAuth, parseDockerConfig, serverOf } from './docker-config.ts';
import type { DockerConfig } from './docker-config.ts';
import type { Endpoint } from './endpoint.ts';
import { ImageCheckerError } from '../errors.ts';
import { unavailable } from './failure.ts';
import { SingleFlight } from './single-flight.ts';
import { WatchedFile } from './watched-file.ts';

/** Milliseconds for which the answer of a helper is used again: it costs a process. */
const HELPER_LIFETIME_MS = 60_000;
const MAX_HELPED = 256;

interface Helped {
  readonly helper: string;
  readonly secret: Secret | undefined;
  readonly until: number;
}

/** The credentials of several files in docker's format; the first file that knows a host counts. */
export class Credentials {
  readonly #files: readonly WatchedFile<DockerConfig>[];
  readonly #deps: RegistryDeps;
  /** By account. */
  readonly #helped = new LRUCache<string, Helped>({ max: MAX_HELPED });
  readonly #flights = new SingleFlight<Secret | undefined>(() =>
    unavailable('expected credentials of a helper, got none before the deadline'),
  );

  constructor(files: readonly string[], deps: RegistryDeps) {
    this.#files = files.map((file) => new WatchedFile(file, parseDockerConfig, deps));
    this.#deps = deps;
  }

  /** @throws {ImageCheckerError} `registry-unavailable` for a file or a helper that is of no use */
  async find(endpoint: Endpoint, signal: AbortSignal): Promise<Credential | undefined> {
    for (const watched of this.#files) {
      const found = await this.#findIn(watched, endpoint, signal);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** What a helper said about a host was refused by it. */
  forget({ account }: Endpoint): void {
    this.#helped.delete(account);
  }

  async #findIn(
    watched: WatchedFile<DockerConfig>,
    { account, path }: Endpoint,
    signal: AbortSignal,
  ): Promise<Credential | undefined> {
    const config = await watched.read();
    const helper = config.helpers.get(account) ?? config.store;
    const helped = helper === undefined ? undefined : await this.#help(helper, account, signal);
    const source = watched.file;
    if (helped !== undefined)
      return { ...helped, source: `docker-credential-${helper ?? ''} (${source})` };
    const secret = inFile(source, () => findAuth(config, account, path));
    return secret === undefined ? undefined : { ...secret, source };
  }

  async #help(helper: string, account: string, signal: AbortSignal): Promise<Secret | undefined> {
    const known = this.#helped.get(account);
    if (known?.helper === helper && this.#deps.now() < known.until) return known.secret;
    const secret = await this.#flights.run(`${helper} ${account}`, signal, (both) =>
      askHelper(helper, serverOf(account), this.#deps.env, both),
    );
    this.#helped.set(account, { helper, secret, until: this.#deps.now() + HELPER_LIFETIME_MS });
    return secret;
  }
}

function inFile<T>(file: string, find: () => T): T {
  try {
    return find();
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    const problems = thrown.problems.map((problem) => ({ ...problem, file }));
    throw new ImageCheckerError('registry-unavailable', problems, { cause: thrown });
  }
}
