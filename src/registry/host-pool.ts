import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { SecureContext } from 'node:tls';
import { addressIn, LOOPBACK_HINT, refusalOf } from './addresses.ts';
import type { RegistryDeps } from './deps.ts';
import type { Failure } from './failure.ts';
import { Limiter } from './limiter.ts';
import type { Named } from './lookups.ts';
import { TlsMaterial } from './tls-material.ts';
import type { TlsFiles } from './tls-material.ts';

/** Connections to a host at a time: a burst of reviews must not look like an attack. */
const MAX_CONNECTIONS = 8;
/** Milliseconds: less than servers and what is between keep an idle connection. */
const IDLE_MS = 30_000;
/** Hosts that are remembered: whoever may create pods may name any number of them. */
const MAX_HOSTS = 256;

/** Whom a request goes to. */
export interface Target extends Named {
  readonly url: URL;
  readonly tls: TlsFiles;
}

/** What is kept between the requests to one host. */
export class Host {
  readonly limiter = new Limiter(MAX_CONNECTIONS);
  readonly #material: TlsMaterial;
  #context: SecureContext | undefined;
  #agent: HttpAgent | undefined;

  constructor(tls: TlsFiles, deps: RegistryDeps) {
    this.#material = new TlsMaterial(tls, deps);
  }

  async agent({ protocol }: URL): Promise<HttpAgent> {
    const context = await this.#material.context();
    if (this.#agent === undefined || context !== this.#context) {
      // The one before is left to the requests that use it; its connections end when they idle.
      this.#context = context;
      this.#agent = makeAgent(protocol, context);
    }
    return this.#agent;
  }

  close(): void {
    this.#agent?.destroy();
  }
}

function makeAgent(protocol: string, secureContext: SecureContext | undefined): HttpAgent {
  const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_MS };
  if (protocol === 'http:') return new HttpAgent(options);
  return new HttpsAgent(secureContext === undefined ? options : { ...options, secureContext });
}

export class HostPool {
  readonly #hosts = new Map<string, Host>();
  readonly #deps: RegistryDeps;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
  }

  of({ url, tls, mayBeLoopback }: Target): Host {
    const key = [url.origin, tls.ca, tls.clientCertificate, tls.clientKey, mayBeLoopback].join(' ');
    const host = this.#hosts.get(key) ?? new Host(tls, this.#deps);
    this.#hosts.delete(key); // to stand behind all others: the first is the one not used for longest
    this.#hosts.set(key, host);
    if (this.#hosts.size > MAX_HOSTS) this.#forgetOne();
    return host;
  }

  close(): void {
    for (const host of this.#hosts.values()) host.close();
    this.#hosts.clear();
  }

  #forgetOne(): void {
    for (const [key, host] of this.#hosts) {
      if (!host.limiter.isIdle) continue;
      this.#hosts.delete(key);
      host.close();
      return;
    }
  }
}

/** Why a host that is an address is not asked; the look-up of a name refuses too. */
export function refuseAddress({ url, mayBeLoopback }: Target): Failure | undefined {
  const address = addressIn(url);
  const refusal = address === undefined ? undefined : refusalOf(address, mayBeLoopback);
  if (refusal === undefined) return undefined;
  const failed = `${url.host}: expected a registry, got ${refusal}, which is not asked`;
  return { failed, hint: LOOPBACK_HINT, transient: false };
}
