import { execFile } from 'node:child_process';
import { systemCode } from '../errors.ts';
import type { Secret } from './credential.ts';
import type { RegistryDeps } from './deps.ts';
import { unavailable } from './failure.ts';

/** Milliseconds: helpers of clouds ask a service of their own. */
const TIME_LIMIT_MS = 5000;
/** Bytes of its answer. */
const MAX_ANSWER = 64 * 1024;
/** What a helper writes when it has none; it ends with 1 as for a failure. */
const NOT_FOUND = 'credentials not found in native keychain';
/** The user name that means that the secret is an identity token. */
const IDENTITY = '<token>';

/**
 * Asks a credential helper of docker (docker/docker-credential-helpers) for a server.
 *
 * @returns undefined when it knows none
 * @throws {ImageCheckerError} `registry-unavailable`; what the helper writes is never repeated
 */
export async function askHelper(
  name: string,
  server: string,
  env: RegistryDeps['env'],
  signal: AbortSignal,
): Promise<Secret | undefined> {
  const program = `docker-credential-${name}`;
  const { stdout, failure } = await call(program, server, env, signal);
  if (failure === undefined) return read(program, stdout);
  if (stdout.trim() === NOT_FOUND) return undefined;
  throw unavailable(`expected credentials for ${server} of ${program}, got ${failure}`);
}

interface Called {
  readonly stdout: string;
  readonly failure?: string;
}

function call(
  program: string,
  server: string,
  env: RegistryDeps['env'],
  signal: AbortSignal,
): Promise<Called> {
  const options = { timeout: TIME_LIMIT_MS, maxBuffer: MAX_ANSWER, env: { ...env }, signal };
  return new Promise((resolve) => {
    const child = execFile(
      program,
      ['get'],
      { ...options, killSignal: 'SIGKILL' },
      (error, stdout) => {
        resolve(error === null ? { stdout } : { stdout, failure: describe(error, signal) });
      },
    );
    child.stdin?.on('error', () => undefined); // it may end without reading
    child.stdin?.end(server);
  });
}

function describe(
  error: Error & { killed?: boolean; code?: unknown },
  signal: AbortSignal,
): string {
  if (signal.aborted) return 'no answer before the deadline';
  if (error.killed === true) return `no answer within ${TIME_LIMIT_MS / 1000} s`;
  const code = systemCode(error);
  if (code === 'ENOENT') return 'no such program in PATH';
  return `a failure (${code})`;
}

function read(program: string, stdout: string): Secret {
  const answer = parse(stdout);
  const { Username: username, Secret: secret } = answer;
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw unavailable(
      `expected an object with Username and Secret of ${program}, got something else`,
    );
  }
  if (username === IDENTITY) return { kind: 'identity', token: secret };
  return { kind: 'password', username, password: secret };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
