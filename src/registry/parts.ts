import type { RegistriesConfig } from '../config/registries.ts';
import { Authorizer } from './authorizer.ts';
import { ByteBudget } from './byte-budget.ts';
import { Client } from './client.ts';
import { Courier } from './courier.ts';
import { Credentials } from './credentials.ts';
import type { RegistryDeps } from './deps.ts';
import { HostPool } from './host-pool.ts';

export type RegistrySettings = Pick<RegistriesConfig, 'credentials' | 'hosts'>;

/**
 * Bytes of all answers that are being read: hosts are named by whoever may create pods, and each of
 * them may send 8 MiB over each of eight connections.
 */
const MAX_BYTES_AT_A_TIME = 128 * 1024 * 1024;

/** What a client of registries is put together from. */
export interface Parts {
  readonly pool: HostPool;
  readonly credentials: Credentials;
  readonly authorizer: Authorizer;
  readonly client: Client;
}

export function openParts(settings: RegistrySettings, deps: RegistryDeps): Parts {
  const pool = new HostPool(deps);
  const courier = new Courier(pool, settings.hosts, new ByteBudget(MAX_BYTES_AT_A_TIME));
  const credentials = new Credentials(settings.credentials, deps);
  const authorizer = new Authorizer(courier, credentials, deps.now);
  const client = new Client(courier, authorizer, deps.random);
  return { pool, credentials, authorizer, client };
}
