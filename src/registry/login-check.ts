import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { scopeOf } from './authorizer.ts';
import type { RegistryDeps } from './deps.ts';
import { endpointOf, hostEndpointOf } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { unavailable } from './failure.ts';
import { openParts } from './parts.ts';
import type { Parts, RegistrySettings } from './parts.ts';
import type { Repository } from './registry.ts';

/** What came of logging in at a registry. */
export interface LoginReport {
  readonly registry: string;
  /** The host that was asked. */
  readonly server: string;
  /** Where they are from; null: there are none. */
  readonly credentials: string | null;
  /** How the registry wants to know who asks; null: it does not, or did not come to that. */
  readonly login: 'Basic' | 'Bearer' | null;
  readonly tokenService: string | null;
  readonly scope: string | null;
  /** Absent: it works. */
  readonly problem?: Problem;
}

/** Bytes: one tag, or a word of greeting. */
const MAX_ANSWER = 1024 * 1024;

/** Logs in, and pulls from the repository when one is given: its list of tags, of which one is enough. */
export async function checkLogin(
  { registry, repository }: Repository,
  settings: RegistrySettings,
  deps: RegistryDeps,
  signal: AbortSignal,
): Promise<LoginReport> {
  const endpoint =
    repository === ''
      ? hostEndpointOf(registry, settings.hosts)
      : endpointOf({ registry, repository }, settings.hosts);
  const parts = openParts(settings, deps);
  try {
    const problem = await problemOf(() => ask(parts, endpoint, signal));
    const credentials = await sourceOf(parts, endpoint, signal);
    return {
      ...describe(parts, endpoint),
      credentials,
      ...(problem === undefined ? {} : { problem }),
    };
  } finally {
    parts.pool.close();
  }
}

async function ask({ client }: Parts, endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  const path = endpoint.path === '' ? '' : 'tags/list?n=1';
  // A repository that is not there is no matter of credentials.
  const answers = endpoint.path === '' ? [] : [404];
  const question = { path, accept: 'application/json', maxBytes: MAX_ANSWER, answers };
  const { status, host } = await client.ask(endpoint, question, signal);
  if (status === 404) {
    throw unavailable(`${host}: expected a repository ${endpoint.path}, got 404`);
  }
}

async function problemOf(step: () => Promise<unknown>): Promise<Problem | undefined> {
  try {
    await step();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof ImageCheckerError) return thrown.problems[0];
    throw thrown;
  }
}

/** A broken file has been told already. */
async function sourceOf(
  { credentials }: Parts,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<string | null> {
  const found = await credentials.find(endpoint, signal).catch(() => undefined);
  return found?.source ?? null;
}

function describe(
  { authorizer }: Parts,
  endpoint: Endpoint,
): Pick<LoginReport, 'registry' | 'server' | 'login' | 'tokenService' | 'scope'> {
  const challenge = authorizer.challengeOf(endpoint);
  const { registry, host: server } = endpoint;
  if (challenge?.scheme !== 'bearer') {
    const login = challenge === undefined ? null : 'Basic';
    return { registry, server, login, tokenService: null, scope: null };
  }
  const { realm: tokenService } = challenge;
  return { registry, server, login: 'Bearer', tokenService, scope: scopeOf(endpoint) ?? null };
}
