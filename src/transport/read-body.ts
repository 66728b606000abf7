import { RequestRefused } from './refusal.ts';
import type { Exchange } from './exchange.ts';

/** How much may be held of bodies that are still arriving. */
export interface BodyLimits {
  /** Bytes of one body. */
  readonly bodyBytes: number;
}

/** Reads bodies, each bounded and all together bounded. */
export type ReadBody = (
  exchange: Exchange,
  done: (body: Buffer) => void,
  refuse: (error: RequestRefused) => void,
) => Release;

/** To be called when the exchange is over: lets go of what has arrived of the body. */
export type Release = () => void;

/** Bytes of all bodies that arrive at one time: real ones have some hundred bytes. */
const ALL_BODIES = 64 * 1024 * 1024;

const EMPTY = Buffer.alloc(0);

/**
 * Neither callback is called when the client goes before its body is whole. What is over a limit
 * is read to its end and thrown away, so that the client, which may only read when it has written
 * all, gets its answer.
 */
export function createReadBody({ bodyBytes }: BodyLimits): ReadBody {
  const allBodies = Math.max(ALL_BODIES, bodyBytes);
  let held = 0;
  return (exchange, done, refuse) => {
    const { body } = exchange;
    let parts: Buffer[] = [];
    let length = 0;
    const release = (): void => {
      held -= length;
      length = 0;
      parts = [];
    };
    const stop = (error: RequestRefused): void => {
      body.off('data', take).off('end', finish);
      body.resume();
      refuse(error);
    };
    const take = (part: Buffer): void => {
      length += part.length;
      held += part.length;
      if (length > bodyBytes) stop(tooLong(bodyBytes));
      else if (held > allBodies)
        stop(new RequestRefused(429, 'too much is being read', 'all_body_bytes'));
      else {
        parts.push(part);
        if (!exchange.holdIfWhole(length)) return;
        body.off('data', take).off('end', finish);
        finish();
      }
    };
    const finish = (): void => {
      const [first = EMPTY] = parts;
      const whole = parts.length > 1 ? Buffer.concat(parts) : first;
      release();
      done(whole);
    };
    body.on('data', take).on('end', finish);
    if (Number(exchange.contentLength ?? 0) > bodyBytes) stop(tooLong(bodyBytes));
    return release;
  };
}

function tooLong(limit: number): RequestRefused {
  return new RequestRefused(413, `expected a body of at most ${limit} bytes`, 'body_bytes');
}
