import type { RegistriesConfig, RegistryHostConfig } from '../config/registries.ts';
import { isPathComponent, isRegistry } from '../parse/reference-grammar.ts';
import { limited } from './failure.ts';
import type { Repository } from './registry.ts';

/** Where the requests about a repository go. */
export interface Endpoint {
  /** As the reference names it. */
  readonly registry: string;
  /** The one that is asked: of the Hub's API, or a mirror. */
  readonly host: string;
  /** `https://host`, or `http://host` where that is written for it. */
  readonly origin: string;
  /** By what name credentials are kept. */
  readonly account: string;
  /** The path of the repository at that host; empty for the host as a whole. */
  readonly path: string;
  readonly settings: RegistryHostConfig;
  /** Named in the config, and so it may be this machine. */
  readonly isNamed: boolean;
}

const HUB = 'docker.io';
const HUB_API = 'registry-1.docker.io';
const NO_SETTINGS: RegistryHostConfig = { plainHttp: false };

/**
 * Nobody asks where there is no endpoint, and whoever creates pods chooses the spelling.
 *
 * @throws {ImageCheckerError} `registry-limited` for what names no host or no repository
 */
export function endpointOf(repository: Repository, hosts: RegistriesConfig['hosts']): Endpoint {
  const endpoint = hostEndpointOf(repository.registry, hosts);
  const path = endpoint.prefix + repository.repository;
  if (!path.split('/').every(isPathComponent)) {
    throw limited(
      `${endpoint.registry}: expected a repository, got ${JSON.stringify(repository.repository)}`,
    );
  }
  return { ...endpoint, path };
}

/** The host alone. @throws {ImageCheckerError} `registry-limited` for what names none */
export function hostEndpointOf(registry: string, hosts: RegistriesConfig['hosts']): HostEndpoint {
  const isNamed = Object.hasOwn(hosts, registry);
  const settings = (isNamed ? hosts[registry] : undefined) ?? NO_SETTINGS;
  const place = placeOf(registry, settings.mirror);
  const origin = `${settings.plainHttp ? 'http' : 'https'}://${place.host}`;
  if (!isHost(place.host, origin)) {
    throw limited(
      `expected a registry that can be asked, got ${JSON.stringify(registry)}`,
      'write its host in lower case, and its port without a zero before it',
    );
  }
  return { registry, ...place, origin, path: '', settings, isNamed };
}

/** Whether an address is one of the host that is asked; the usual port may be written or not. */
export function isOf({ origin }: Endpoint, url: URL): boolean {
  return url.origin === new URL(origin).origin;
}

/** Whether a registry may send us to an address: by https, or to itself where it is asked by http. */
export function maySendTo(endpoint: Endpoint, url: URL): boolean {
  return url.protocol === 'https:' || (endpoint.settings.plainHttp && isOf(endpoint, url));
}

/** `prefix` is where a mirror keeps the repositories. */
type HostEndpoint = Endpoint & { readonly prefix: string };

interface Place {
  readonly host: string;
  readonly account: string;
  readonly prefix: string;
}

function placeOf(registry: string, mirror: string | undefined): Place {
  if (mirror !== undefined) {
    const [host = '', ...path] = mirror.split('/');
    return { host, account: host, prefix: path.map((each) => `${each}/`).join('') };
  }
  return { host: registry === HUB ? HUB_API : registry, account: registry, prefix: '' };
}

/** What a URL makes something else of, `0x7f.1` for one, is no name of a host. */
function isHost(host: string, origin: string): boolean {
  if (!isRegistry(host) || !URL.canParse(origin)) return false;
  const { host: read, protocol } = new URL(origin);
  const usual = protocol === 'https:' ? ':443' : ':80';
  return read === host || `${read}${usual}` === host;
}
