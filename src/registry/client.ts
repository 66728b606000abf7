import { setTimeout as sleep } from 'node:timers/promises';
import { senderOf } from './authorizer.ts';
import type { Authorization, Authorizer } from './authorizer.ts';
import type { Courier, Parcel } from './courier.ts';
import type { RegistryDeps } from './deps.ts';
import { isOf } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { isFailure, limited, unavailable } from './failure.ts';
import type { Failure } from './failure.ts';
import { describeStatus } from './statuses.ts';
import type { Answer } from './wire.ts';

/** One question about a repository. */
export interface Question {
  /** Behind `/v2/<repository>/`, or `/v2/` for the host as a whole. */
  readonly path: string;
  /** Media types. */
  readonly accept: string;
  /** Of the answer. */
  readonly maxBytes: number;
  /** Statuses beside 200 that are an answer. */
  readonly answers: readonly number[];
}

const MAX_ATTEMPTS = 3;
/** Milliseconds before the second attempt; twice that before the third. */
const BACKOFF_MS = 250;

/** Asks registries, with credentials where they want some, again where that may help. */
export class Client {
  readonly #courier: Courier;
  readonly #authorizer: Authorizer;
  readonly #random: RegistryDeps['random'];

  constructor(courier: Courier, authorizer: Authorizer, random: RegistryDeps['random']) {
    this.#courier = courier;
    this.#authorizer = authorizer;
    this.#random = random;
  }

  /**
   * @throws {ImageCheckerError} `registry-unavailable` for all that is no answer; `registry-limited`
   *   where that is by a limit of ours
   */
  async ask(endpoint: Endpoint, question: Question, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#once(endpoint, question, signal);
      if (!isFailure(answer)) return answer;
      const isOver = !answer.transient || attempt === MAX_ATTEMPTS;
      if (isOver || !(await pause(this.#delay(attempt, answer), signal))) {
        const message = answer.failed + (attempt > 1 ? ` (attempt ${attempt})` : '');
        throw (answer.isOurs === true ? limited : unavailable)(message, answer.hint);
      }
    }
  }

  async #once(
    endpoint: Endpoint,
    question: Question,
    signal: AbortSignal,
  ): Promise<Answer | Failure> {
    const sent = await this.#authorizer.remembered(endpoint, signal);
    const first = await this.#get(endpoint, question, sent, signal);
    if (isFailure(first) || !isChallenge(first, endpoint))
      return this.#judge(first, question, endpoint, sent);
    const wanted = first.headers['www-authenticate'];
    const renewed = await this.#authorizer.renewed(endpoint, wanted, sent, signal);
    if (renewed === undefined) return this.#judge(first, question, endpoint, sent);
    if (isFailure(renewed)) return renewed;
    const second = await this.#get(endpoint, question, renewed, signal);
    return this.#judge(second, question, endpoint, renewed);
  }

  #get(
    endpoint: Endpoint,
    { path, accept, maxBytes }: Question,
    { header }: Authorization,
    signal: AbortSignal,
  ): Promise<Answer | Failure> {
    const parcel: Parcel = {
      url: new URL(
        [endpoint.origin, 'v2', ...(endpoint.path === '' ? [] : [endpoint.path]), path].join('/'),
      ),
      method: 'GET',
      headers: { accept, ...(header === undefined ? {} : { authorization: header }) },
      maxBytes,
    };
    return this.#courier.get(endpoint, parcel, signal);
  }

  #judge(
    answer: Answer | Failure,
    { answers }: Question,
    endpoint: Endpoint,
    { credential }: Authorization,
  ): Answer | Failure {
    if (isFailure(answer) || answer.status === 200 || answers.includes(answer.status))
      return answer;
    return describeStatus(answer, senderOf(endpoint, credential));
  }

  #delay(attempt: number, { retryAfter }: Failure): number {
    return Math.max(BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + this.#random()), retryAfter ?? 0);
  }
}

/** A 401 of storage that we were redirected to is none of the registry's. */
function isChallenge({ status, origin }: Answer, endpoint: Endpoint): boolean {
  return status === 401 && isOf(endpoint, new URL(origin));
}

/** @returns false when the signal ended first */
async function pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(milliseconds, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
