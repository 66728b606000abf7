import { ImageCheckerError, messageOf } from './errors.ts';
import type { Log } from './record/logger.ts';
import type { FailedReload } from './transport/readiness.ts';

/** Loads something anew, whole or not at all. */
export interface Reloader {
  /** One at a time; asked for while one runs, another follows it. Never rejects. */
  reload(): Promise<void>;
  /** The last reload, if it failed. */
  failure(): FailedReload | undefined;
}

export interface ReloaderDeps<T> {
  /** What is loaded, for messages. */
  readonly what: string;
  readonly load: () => Promise<T>;
  /** Puts the new state in force; called only with one that was loaded whole. */
  readonly apply: (loaded: T) => void;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Makes a reloader that logs each mistake once, however often it is met. */
export function createReloader<T>({ what, load, apply, log, clock }: ReloaderDeps<T>): Reloader {
  let failure: FailedReload | undefined;
  let running: Promise<void> | undefined;
  let wanted = 0;
  const attempt = async (): Promise<void> => {
    try {
      apply(await load());
      if (failure !== undefined) log.info(`${what}: the mistake is gone`);
      failure = undefined;
    } catch (thrown) {
      const problems = problemsOf(thrown);
      const known = failure?.problems.join('\n') === problems.join('\n');
      failure = { what, at: new Date(clock()).toISOString(), problems };
      if (!known) log.error(`${what}: not reloaded, the old state stays in force`, { problems });
    }
  };
  const run = async (): Promise<void> => {
    for (let done = 0; done < wanted;) {
      done = wanted;
      await attempt();
    }
    running = undefined;
  };
  return {
    reload() {
      wanted++;
      running ??= run();
      return running;
    },
    failure: () => failure,
  };
}

function problemsOf(thrown: unknown): readonly string[] {
  return thrown instanceof ImageCheckerError ? thrown.message.split('\n') : [messageOf(thrown)];
}
