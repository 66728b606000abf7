import type { CheckImage } from '../check-image.ts';
import type { ClientGate } from './client-gate.ts';
import type { Exchange } from './exchange.ts';
import { createReadBody } from './read-body.ts';
import { refusalOf, RequestRefused } from './refusal.ts';
import type { RefusalRecord } from './refusal.ts';

type ImageReviewResponse = Awaited<ReturnType<CheckImage>>;

/** Answers the body of a review; as a promise only where something has to be waited for. */
export type AnswerReview = (
  body: Uint8Array,
  client: string,
) => ImageReviewResponse | Promise<ImageReviewResponse>;

export interface ReviewRouteDeps extends RefusalRecord {
  readonly checkImage: AnswerReview;
  readonly clientOf: ClientGate;
  readonly limits: { readonly bodyBytes: number; readonly inFlight: number };
  /** What is under way, for others to look at. */
  readonly load: { inFlight: number };
}

/** Answers one request for a review, of either protocol, in the app or ahead of it. */
export type ReviewRoute = (exchange: Exchange) => void;

export function createReviewRoute(deps: ReviewRouteDeps): ReviewRoute {
  const readBody = createReadBody(deps.limits);
  const { load } = deps;
  const { inFlight: limit } = deps.limits;
  return (exchange) => {
    const refuse = (error: unknown): void => {
      const refusal = refusalOf(error, exchange.path, deps);
      exchange.answer(refusal.code, JSON.stringify(refusal));
    };
    try {
      const client = deps.clientOf(exchange.socket);
      // More than can be answered in time is shed: kube-apiserver asks again after a 429.
      if (load.inFlight >= limit) {
        throw new RequestRefused(429, `more than ${limit} reviews are in flight`, 'in_flight');
      }
      load.inFlight++;
      const release = readBody(
        exchange,
        (body) => {
          // All that has arrived is read first: answers that are written one after the other wake
          // up their reader once.
          setImmediate(answerReview, exchange, { body, client, refuse }, deps);
        },
        refuse,
      );
      exchange.whenOver(() => {
        load.inFlight--;
        release();
      });
    } catch (thrown) {
      exchange.body.resume();
      refuse(thrown);
    }
  };
}

interface Review {
  readonly body: Buffer;
  readonly client: string;
  readonly refuse: (error: unknown) => void;
}

function answerReview(
  exchange: Exchange,
  { body, client, refuse }: Review,
  { checkImage }: ReviewRouteDeps,
): void {
  const send = (response: ImageReviewResponse): void => {
    exchange.answer(200, JSON.stringify(response));
  };
  try {
    const response = checkImage(body, client);
    if (response instanceof Promise) response.then(send).catch(refuse);
    else send(response);
  } catch (thrown) {
    refuse(thrown);
  }
}
