import type { RegistriesConfig } from '../config/registries.ts';
import { addressIn, refusalOf } from './addresses.ts';
import type { ByteBudget } from './byte-budget.ts';
import { isOf, maySendTo } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { isFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import { refuseAddress } from './host-pool.ts';
import type { HostPool, Target } from './host-pool.ts';
import { Lookups } from './lookups.ts';
import { exchange } from './wire.ts';
import type { Answer, WireRequest } from './wire.ts';

export interface Parcel {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of the answer. */
  readonly maxBytes: number;
}

type NamedParcel = Parcel & Pick<WireRequest, 'request'>;

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Takes requests to the hosts that they may go to. */
export class Courier {
  readonly #pool: HostPool;
  readonly #hosts: RegistriesConfig['hosts'];
  readonly #budget: ByteBudget;
  readonly #lookups: Lookups;

  constructor(
    pool: HostPool,
    hosts: RegistriesConfig['hosts'],
    budget: ByteBudget,
    lookups = new Lookups(),
  ) {
    this.#pool = pool;
    this.#hosts = hosts;
    this.#budget = budget;
    this.#lookups = lookups;
  }

  /** One request on behalf of a registry, to it or to where it sent us. */
  send(endpoint: Endpoint, parcel: Parcel, signal: AbortSignal): Promise<Answer | Failure> {
    return this.#send(endpoint, { ...parcel, request: nameOf(parcel) }, signal);
  }

  async #send(
    endpoint: Endpoint,
    parcel: NamedParcel,
    signal: AbortSignal,
  ): Promise<Answer | Failure> {
    const target = this.#targetOf(endpoint, parcel.url);
    const refused = refuseAddress(target);
    if (refused !== undefined) return refused;
    const host = this.#pool.of(target);
    const agent = await host.agent(parcel.url);
    const lookup = this.#lookups.of(target, signal);
    const wire = { ...parcel, agent, lookup, signal, budget: this.#budget };
    const answer = await host.limiter.run(signal, () => exchange(wire));
    return answer ?? neverSent(parcel);
  }

  /** A GET that follows redirects, and takes its credentials to no other origin. */
  async get(endpoint: Endpoint, parcel: Parcel, signal: AbortSignal): Promise<Answer | Failure> {
    const request = nameOf(parcel);
    let { url, headers } = parcel;
    for (let left = MAX_REDIRECTS; ; left--) {
      const answer = await this.#send(endpoint, { ...parcel, request, url, headers }, signal);
      if (isFailure(answer) || !REDIRECTS.has(answer.status)) return answer;
      const next = nextOf(answer, url, endpoint);
      if (isFailure(next)) return next;
      if (left === 0) return stray(answer, `at most ${MAX_REDIRECTS} redirects, got another one`);
      if (next.origin !== url.origin) headers = withoutCredentials(headers);
      url = next;
    }
  }

  #targetOf(endpoint: Endpoint, url: URL): Target {
    const { settings, isNamed, origin } = endpoint;
    if (isOf(endpoint, url))
      return { url, tls: settings, isKnown: isNamed, mayBeLoopback: isNamed };
    const named = Object.hasOwn(this.#hosts, url.host) ? this.#hosts[url.host] : undefined;
    // A registry with an authority of its own has storage with one; its client certificate stays here.
    const tls = named ?? (settings.ca === undefined ? {} : { ca: settings.ca });
    const isBesideUs = isNamed && isThisMachine(new URL(origin));
    const isKnown = isNamed || named !== undefined;
    return { url, tls, isKnown, mayBeLoopback: named !== undefined || isBesideUs };
  }
}

/** Without the query, which may hold a secret. */
function nameOf({ method, url }: Parcel): string {
  return `${method} ${url.pathname}`;
}

function isThisMachine(url: URL): boolean {
  const address = addressIn(url);
  if (address === undefined) return url.hostname === 'localhost';
  return refusalOf(address, true) === undefined && refusalOf(address, false) !== undefined;
}

function nextOf(answer: Answer, from: URL, endpoint: Endpoint): URL | Failure {
  const location = answer.headers.location ?? '';
  if (location === '' || !URL.canParse(location, from.href))
    return stray(answer, 'a redirect to somewhere, got none');
  const next = new URL(location, from);
  if (!maySendTo(endpoint, next)) {
    return stray(answer, `a redirect to https, got one to ${next.protocol.slice(0, -1)}`);
  }
  if (next.username !== '' || next.password !== '') {
    return stray(answer, 'a redirect without credentials, got one with some');
  }
  next.hash = '';
  return next;
}

function stray({ host, request }: Answer, expectation: string): Failure {
  return { failed: `${host}: expected of ${request} ${expectation}`, transient: false };
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'authorization'));
}

function neverSent({ url, request }: NamedParcel): Failure {
  const failed = `${url.host}: expected an answer to ${request}, got none before the deadline (requests before it took all the time)`;
  return { failed, transient: false, isOurs: true };
}
