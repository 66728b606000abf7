import { LRUCache } from 'lru-cache';
import type { RegistriesConfig } from '../config/registries.ts';
import type { Client } from './client.ts';
import type { RegistryDeps } from './deps.ts';
import { readIndex } from './descriptors.ts';
import { isDigest } from './digest.ts';
import { endpointOf } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { corrupt, limited, unavailable } from './failure.ts';
import type { Descriptor, Registry, Repository } from './registry.ts';
import { mediaTypeOf } from './wire.ts';
import type { Answer } from './wire.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
/** Bytes of a page. */
const MAX_PAGE = 4 * 1024 * 1024;
const MAX_PAGES = 10;
/** Descriptors: an image has a few; whoever may push may make any number. */
const MAX_REFERRERS = 1000;
/** Statuses of registries that do not know the API; they know the repository, which is asked for its image before. */
const ABSENT = [404, 405, 501];
/** Milliseconds for which a repository is remembered to be without the API. */
const ABSENT_MS = 10 * 60 * 1000;
/** One that is forgotten costs a request. */
const MAX_REPOSITORIES = 1024;

/** What refers to a manifest, by the referrers API or by the fallback tag. */
export class Referrers {
  readonly #client: Client;
  readonly #hosts: RegistriesConfig['hosts'];
  readonly #manifest: Registry['manifest'];
  readonly #now: RegistryDeps['now'];
  /**
   * Until when, by the URL of the repository: behind one host there may be several registries
   * (proxies of others beside its own), and what one of them lacks says nothing of the next.
   */
  readonly #absent = new LRUCache<string, number>({ max: MAX_REPOSITORIES });

  constructor(
    client: Client,
    hosts: RegistriesConfig['hosts'],
    manifest: Registry['manifest'],
    now: RegistryDeps['now'],
  ) {
    this.#client = client;
    this.#hosts = hosts;
    this.#manifest = manifest;
    this.#now = now;
  }

  async of(
    repository: Repository,
    digest: string,
    signal: AbortSignal,
  ): Promise<readonly Descriptor[]> {
    const endpoint = endpointOf(repository, this.#hosts);
    if (!isDigest(digest))
      throw limited(`${endpoint.host}: expected a digest, got ${JSON.stringify(digest)}`);
    const url = `${endpoint.origin}/${endpoint.path}`;
    if (this.#now() >= (this.#absent.get(url) ?? 0)) {
      const listed = await this.#byApi(endpoint, digest, signal);
      if (listed !== undefined) return listed;
      this.#absent.set(url, this.#now() + ABSENT_MS);
    }
    return this.#byTag(repository, digest, signal);
  }

  /** Undefined when the registry does not have the API. */
  async #byApi(
    endpoint: Endpoint,
    digest: string,
    signal: AbortSignal,
  ): Promise<readonly Descriptor[] | undefined> {
    const found = new Map<string, Descriptor>();
    let query: string | undefined = '';
    for (let page = 0; query !== undefined && page < MAX_PAGES; page++) {
      const path = `referrers/${digest}${query}`;
      const question = { path, accept: INDEX, maxBytes: MAX_PAGE, answers: ABSENT };
      const answer = await this.#client.ask(endpoint, question, signal);
      if (page === 0 && !isIndex(answer)) return undefined;
      for (const each of listOf(answer)) found.set(each.digest, each);
      if (found.size > MAX_REFERRERS) break;
      query = nextPage(answer, endpoint);
    }
    return few(found);
  }

  async #byTag(
    repository: Repository,
    digest: string,
    signal: AbortSignal,
  ): Promise<readonly Descriptor[]> {
    const tag = digest.replace(':', '-').slice(0, 128);
    const index = await this.#manifest(repository, tag, signal);
    if (index === undefined) return [];
    const name = `${repository.registry}/${repository.repository}:${tag}`;
    const listed = readIndex(index.bytes);
    if (listed === undefined)
      throw corrupt(`expected an index of referrers at ${name}, got something else`);
    return few(new Map(listed.map((each) => [each.digest, { ...each, fallbackTag: tag }])));
  }
}

/** A 200 of another type is a web site's, which answers whatever it is asked. */
function isIndex(answer: Answer): boolean {
  return answer.status === 200 && mediaTypeOf(answer) === INDEX;
}

function listOf({ host, request, status, body }: Answer): readonly Descriptor[] {
  const listed = status === 200 ? readIndex(body) : undefined;
  if (listed === undefined)
    throw corrupt(`${host}: expected an index for ${request}, got something else`);
  return listed;
}

/** `Link: </v2/...>; rel="next"`, which has to stay where it is: its query alone is what is returned. */
function nextPage({ headers }: Answer, endpoint: Endpoint): string | undefined {
  const link = headers['link'];
  if (typeof link !== 'string' || !/rel="?next"?/.test(link)) return undefined;
  const target = link.slice(link.indexOf('<') + 1, link.indexOf('>'));
  const base = new URL(`${endpoint.origin}/v2/${endpoint.path}/`);
  const url = URL.canParse(target, base.href) ? new URL(target, base) : undefined;
  if (url?.href.startsWith(`${base.href}referrers/`) === true) return url.search;
  throw unavailable(
    `${endpoint.host}: expected a next page of the same referrers, got another address`,
  );
}

/** Whoever may push decides how many there are: the rest is left out, which can only refuse. */
function few(found: ReadonlyMap<string, Descriptor>): readonly Descriptor[] {
  return [...found.values()].slice(0, MAX_REFERRERS);
}
