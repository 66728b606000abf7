import type { RegistriesConfig } from '../config/registries.ts';
import { Authorizer } from './authorizer.ts';
import { Client } from './client.ts';
import { Courier } from './courier.ts';
import { Credentials } from './credentials.ts';
import type { RegistryDeps } from './deps.ts';
import { HostPool } from './host-pool.ts';

export type RegistrySettings = Pick<RegistriesConfig, 'credentials' | 'hosts'>;

/** What a client of registries is put together from. */
export interface Parts {
  readonly pool: HostPool;
  readonly credentials: Credentials;
  readonly authorizer: Authorizer;
  readonly client: Client;
}

export function openParts(settings: RegistrySettings, deps: RegistryDeps): Parts {
  const pool = new HostPool(deps);
  const courier = new Courier(pool, settings.hosts);
  const credentials = new Credentials(settings.credentials, deps);
  const authorizer = new Authorizer(courier, credentials, deps.now);
  const client = new Client(courier, authorizer, deps.random);
  return { pool, credentials, authorizer, client };
}
