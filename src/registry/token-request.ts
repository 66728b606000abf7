import { basicHeader } from './credential.ts';
import type { Credential } from './credential.ts';
import { maySendTo } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import type { Failure } from './failure.ts';
import type { Answer } from './wire.ts';

/** What is asked of a token service, and for whom. */
export interface TokenQuestion {
  readonly endpoint: Endpoint;
  readonly realm: string;
  readonly service: string | undefined;
  /** Absent: only whether the credentials are good. */
  readonly scope: string | undefined;
  readonly credential: Credential | undefined;
}

export interface Token {
  readonly value: string;
  /** Milliseconds. */
  readonly lifetime: number;
}

export interface TokenRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Of the distribution specification, for a service that says nothing. */
const DEFAULT_LIFETIME_S = 60;
/** What a service says is believed up to a day. */
const MAX_LIFETIME_S = 24 * 60 * 60;
/** A token is a header of each request. */
const MAX_TOKEN_LENGTH = 12 * 1024;

/** Undefined for a realm that must not be given credentials: not https, or with some of its own. */
export function tokenRequest(question: TokenQuestion): TokenRequest | undefined {
  const { realm, endpoint } = question;
  if (!URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  if (!maySendTo(endpoint, url)) return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  url.hash = '';
  return question.credential?.kind === 'identity'
    ? exchangeOf(url, question, question.credential.token)
    : loginOf(url, question);
}

function loginOf(url: URL, { service, scope, credential }: TokenQuestion): TokenRequest {
  if (service !== undefined) url.searchParams.set('service', service);
  if (scope !== undefined) url.searchParams.set('scope', scope);
  const headers = credential?.kind === 'password' ? { authorization: basicHeader(credential) } : {};
  return { url, method: 'GET', headers: { accept: 'application/json', ...headers } };
}

function exchangeOf(url: URL, { service, scope }: TokenQuestion, token: string): TokenRequest {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'image-checker' });
  if (service !== undefined) form.set('service', service);
  if (scope !== undefined) form.set('scope', scope);
  form.set('refresh_token', token);
  const headers = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  };
  return { url, method: 'POST', headers, body: form.toString() };
}

/** Reads the answer 200 of a token service. */
export function readToken({ host, body }: Answer): Token | Failure {
  const answer = parse(body);
  const value = answer['token'] ?? answer['access_token'];
  if (
    typeof value === 'string' &&
    value.length <= MAX_TOKEN_LENGTH &&
    /^[\x21-\x7e]+$/.test(value)
  ) {
    return { value, lifetime: lifetimeOf(answer['expires_in']) * 1000 };
  }
  return { failed: `${host}: expected a token of its token service, got none`, transient: false };
}

function parse(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function lifetimeOf(seconds: unknown): number {
  if (typeof seconds !== 'number' || !(seconds > 0)) return DEFAULT_LIFETIME_S;
  return Math.min(seconds, MAX_LIFETIME_S);
}
