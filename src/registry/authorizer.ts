import { LRUCache } from 'lru-cache';
import { readChallenge } from './challenge.ts';
import type { Challenge } from './challenge.ts';
import type { Courier } from './courier.ts';
import { basicHeader, fingerprintOf } from './credential.ts';
import type { Credential } from './credential.ts';
import type { Credentials } from './credentials.ts';
import type { RegistryDeps } from './deps.ts';
import type { Endpoint } from './endpoint.ts';
import { isFailure, unavailable } from './failure.ts';
import type { Failure } from './failure.ts';
import { SingleFlight } from './single-flight.ts';
import { describeStatus } from './statuses.ts';
import type { Sender } from './statuses.ts';
import { readToken, tokenRequest } from './token-request.ts';
import type { Token, TokenQuestion } from './token-request.ts';

/** Tokens and ways of asking that are remembered: repositories are many, and named by others. */
const MAX_REMEMBERED = 1000;
/** Bytes of a token service's answer. */
const MAX_TOKEN_ANSWER = 64 * 1024;
/** Milliseconds: a token that is about to end would end on its way. */
const TOKEN_MARGIN_MS = 2000;

/** What is sent to say who asks; without a header it is nobody. */
export interface Authorization {
  readonly header: string | undefined;
  readonly credential: Credential | undefined;
}

const NOBODY: Authorization = { header: undefined, credential: undefined };

interface Challenged {
  readonly challenge: Challenge;
  readonly isMet: boolean;
}

interface KnownToken {
  readonly value: string;
  readonly until: number;
}

/** Says who asks, in the way that each registry wants it. */
export class Authorizer {
  readonly #courier: Courier;
  readonly #credentials: Credentials;
  readonly #now: RegistryDeps['now'];
  /** By origin. */
  readonly #challenges = new LRUCache<string, Challenged>({ max: MAX_REMEMBERED });
  readonly #tokens = new LRUCache<string, KnownToken>({ max: MAX_REMEMBERED });
  readonly #flights = new SingleFlight<Token | Failure>(() =>
    unavailable('expected a token of the token service, got none before the deadline'),
  );

  constructor(courier: Courier, credentials: Credentials, now: RegistryDeps['now']) {
    this.#courier = courier;
    this.#credentials = credentials;
    this.#now = now;
  }

  /** How a registry wanted it the last time; undefined when it never asked. */
  challengeOf({ origin }: Endpoint): Challenge | undefined {
    return this.#challenges.get(origin)?.challenge;
  }

  /**
   * In the way that the registry wanted it the last time; nobody, when it never asked or when that
   * does not work any more: it may want it otherwise by now, and is asked anew.
   */
  async remembered(endpoint: Endpoint, signal: AbortSignal): Promise<Authorization> {
    const known = this.#challenges.get(endpoint.origin);
    if (known?.isMet !== true) return NOBODY;
    const authorization = await this.#meet(endpoint, known.challenge, signal);
    return isFailure(authorization) ? NOBODY : authorization;
  }

  /**
   * After a 401, whose challenge counts from now on.
   *
   * @returns undefined when there is nothing to send but what was refused just now
   */
  async renewed(
    endpoint: Endpoint,
    wwwAuthenticate: string | undefined,
    refused: Authorization,
    signal: AbortSignal,
  ): Promise<Authorization | Failure | undefined> {
    const challenge = readChallenge(wwwAuthenticate);
    if (challenge === undefined) {
      const failed = `${endpoint.host}: expected to be asked for credentials by Basic or Bearer, got 401 and neither`;
      return { failed, transient: false };
    }
    if (refused.header !== undefined) this.#forget(endpoint, challenge, refused.credential);
    const next = await this.#meet(endpoint, challenge, signal);
    return !isFailure(next) && next.header === refused.header ? undefined : next;
  }

  #forget(endpoint: Endpoint, challenge: Challenge, credential: Credential | undefined): void {
    this.#credentials.forget(endpoint);
    if (challenge.scheme === 'bearer') {
      this.#tokens.delete(keyOf(questionOf(endpoint, challenge, credential)));
    }
  }

  /** Remembers the challenge, and whether it could be met. */
  async #meet(
    endpoint: Endpoint,
    challenge: Challenge,
    signal: AbortSignal,
  ): Promise<Authorization | Failure> {
    const authorization = await this.#authorize(endpoint, challenge, signal);
    this.#challenges.set(endpoint.origin, { challenge, isMet: !isFailure(authorization) });
    return authorization;
  }

  async #authorize(
    endpoint: Endpoint,
    challenge: Challenge,
    signal: AbortSignal,
  ): Promise<Authorization | Failure> {
    const credential = await this.#credentials.find(endpoint, signal);
    if (challenge.scheme === 'bearer') {
      const value = await this.#tokenOf(questionOf(endpoint, challenge, credential), signal);
      return isFailure(value) ? value : { header: `Bearer ${value.token}`, credential };
    }
    if (credential?.kind === 'identity') {
      const failed = `${endpoint.host}: expected a user name and a password for it, got an identity token in ${credential.source}`;
      return { failed, transient: false };
    }
    return { header: credential === undefined ? undefined : basicHeader(credential), credential };
  }

  async #tokenOf(
    question: TokenQuestion,
    signal: AbortSignal,
  ): Promise<{ readonly token: string } | Failure> {
    const key = keyOf(question);
    const known = this.#tokens.get(key);
    if (known !== undefined && this.#now() < known.until) return { token: known.value };
    const token = await this.#flights.run(key, signal, (both) => this.#askToken(question, both));
    if (isFailure(token)) return token;
    const until = this.#now() + token.lifetime - TOKEN_MARGIN_MS;
    this.#tokens.set(key, { value: token.value, until });
    return { token: token.value };
  }

  /** Asks the token service, whatever is remembered. */
  async #askToken(question: TokenQuestion, signal: AbortSignal): Promise<Token | Failure> {
    const { endpoint, credential } = question;
    const request = tokenRequest(question);
    if (request === undefined) {
      const failed = `${endpoint.host}: expected a token service that is asked by https, got another one`;
      return { failed, transient: false };
    }
    const parcel = { ...request, maxBytes: MAX_TOKEN_ANSWER };
    const answer = await this.#courier.send(endpoint, parcel, signal);
    if (isFailure(answer)) return answer;
    return answer.status === 200
      ? readToken(answer)
      : describeStatus(answer, senderOf(endpoint, credential));
  }
}

/** The only thing that is ever done is pulling from one repository; undefined for no more than a login. */
export function scopeOf({ path }: Endpoint): string | undefined {
  return path === '' ? undefined : `repository:${path}:pull`;
}

function questionOf(
  endpoint: Endpoint,
  { realm, service }: Extract<Challenge, { readonly scheme: 'bearer' }>,
  credential: Credential | undefined,
): TokenQuestion {
  return { endpoint, realm, service, scope: scopeOf(endpoint), credential };
}

function keyOf({ endpoint, realm, service, scope, credential }: TokenQuestion): string {
  return JSON.stringify([endpoint.origin, realm, service, scope, fingerprintOf(credential)]);
}

/** Who it was that was refused. */
export function senderOf({ account }: Endpoint, credential: Credential | undefined): Sender {
  const hint =
    credential === undefined
      ? `no credentials for ${account} were found in registries.credentials of the config`
      : `the credentials are from ${credential.source}`;
  return { isAnonymous: credential === undefined, hint };
}
