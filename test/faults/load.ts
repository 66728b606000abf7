import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'node:https';
import type { ClientHttp2Session } from 'node:http2';
import { systemCode } from '../../src/errors.ts';
import { ask, askOn, connectHttp2, reviewOf } from '../support/requests.ts';
import type { Answer, Caller } from '../support/requests.ts';

/** What came of the reviews that were asked for. */
export interface Seen {
  /** Answers with the right verdict. */
  right: number;
  /** Answers with the wrong one: there is never any. */
  readonly wrong: string[];
  /** What a client saw that got no verdict, and how often: kube-apiserver then goes by defaultAllow. */
  readonly failures: Map<string, number>;
}

/** Somebody who asks over and over, for images that are allowed and images that are not in turn. */
export interface Load {
  readonly seen: Seen;
  /** Waits until so many more have got the right answer. */
  more(count: number): Promise<void>;
  /** What clients saw since the last time, as words. */
  failuresSince(): string[];
  stop(): Promise<Seen>;
}

export interface LoadOptions {
  /** Images that are allowed begin with it. */
  readonly trusted?: string;
  /** What a client waits for its answer, where it is not for ever. */
  readonly answerMs?: number;
}

type Ask = (body: string) => Promise<Answer>;

/** New connections, connections that stay, and HTTP/2, as kube-apiservers of all ages ask. */
export function startLoad(caller: Caller, options: LoadOptions = {}): Load {
  const { trusted = 'docker.io/shop/app', answerMs = 60_000 } = options;
  const state = { isOver: false, asked: 0, told: new Map<string, number>() };
  const seen: Seen = { right: 0, wrong: [], failures: new Map() };
  const agent = new Agent({ keepAlive: true });
  const askers: Ask[] = [
    (body) => ask(caller, { body }),
    (body) => ask(caller, { body, agent }),
    overHttp2(caller),
    overHttp2(caller),
  ];
  const once = async (askFor: Ask): Promise<void> => {
    const number = state.asked++;
    const allowed = number % 2 === 0;
    const image = allowed ? `${trusted}-${number}` : `evil.example/app-${number}`;
    try {
      const answer = await within(answerMs, askFor(reviewOf([image])));
      record(answer, { image, allowed }, seen);
    } catch (thrown) {
      count(seen.failures, systemCode(thrown) || String(thrown));
      await sleep(20);
    }
  };
  const workers = askers.map(async (askFor) => {
    while (!state.isOver) await once(askFor);
  });
  return {
    seen,
    async more(wanted) {
      const end = seen.right + wanted;
      while (seen.right < end) await sleep(10);
    },
    failuresSince() {
      const before = state.told;
      state.told = new Map(seen.failures);
      return [...seen.failures]
        .filter(([key, n]) => n > (before.get(key) ?? 0))
        .map(([key]) => key);
    },
    async stop() {
      state.isOver = true;
      await Promise.all(workers);
      agent.destroy();
      for (const askFor of askers) closers.get(askFor)?.();
      return seen;
    },
  };
}

function record(
  { status, text }: Answer,
  asked: { readonly image: string; readonly allowed: boolean },
  seen: Seen,
): void {
  if (status !== 200) {
    count(seen.failures, `status ${status}`);
    return;
  }
  const answer = JSON.parse(text) as { readonly status?: { readonly allowed?: unknown } };
  if (answer.status?.allowed === asked.allowed) seen.right++;
  else seen.wrong.push(`${asked.image}: ${text}`);
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** What has to be closed for each way to ask. */
const closers = new WeakMap<Ask, () => void>();

/** One connection, and another one when it has gone; as Go's client does. */
function overHttp2(caller: Caller): Ask {
  let session: ClientHttp2Session | undefined;
  const askFor: Ask = async (body) => {
    session =
      session === undefined || session.closed || session.destroyed ? connectHttp2(caller) : session;
    session.setMaxListeners(0);
    try {
      return await askOn(session, { body });
    } catch (thrown) {
      session.destroy();
      throw thrown;
    }
  };
  closers.set(askFor, () => session?.destroy());
  return askFor;
}

async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: timer.signal }).then(() => {
    throw new Error('no answer in time');
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
    answer.catch(() => undefined);
  }
}
