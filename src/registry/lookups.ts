import { lookup as askSystem } from 'node:dns/promises';
import type { LookupAddress, LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { ImageCheckerError } from '../errors.ts';
import { refusedAddress, refusalOf } from './addresses.ts';
import { unavailable } from './failure.ts';
import { Limiter } from './limiter.ts';
import { SingleFlight } from './single-flight.ts';

/** How one request finds the addresses of its host. */
export interface Lookup {
  /** Leaves out what must not be connected to. */
  readonly find: LookupFunction;
  /** Whether it still waits for look-ups of other names. */
  readonly isQueued: () => boolean;
}

/** Whose name is looked up. */
export interface Named {
  /** By the config, or by a registry that is. */
  readonly isKnown: boolean;
  readonly mayBeLoopback: boolean;
}

type Ask = (name: string, options: LookupOptions & { all: true }) => Promise<LookupAddress[]>;

/**
 * Looks names up as the system does, `/etc/hosts` and all. It does that for two names at a time in
 * the whole process (libuv), for as long as a name server is silent, and cannot be stopped. Whoever
 * creates pods may invent names whose servers are: such names get one of the two places, and so keep
 * no host of the config waiting.
 */
export class Lookups {
  readonly #ask: Ask;
  readonly #place = new Limiter(1);
  readonly #flights = new SingleFlight<readonly LookupAddress[]>(late);
  /** Who has the place. */
  #current: string | undefined;

  constructor(ask: Ask = askSystem) {
    this.#ask = ask;
  }

  /** For one request, which ends with the signal. */
  of({ isKnown, mayBeLoopback }: Named, signal: AbortSignal): Lookup {
    let awaited: string | undefined;
    const find: LookupFunction = (name, options, callback) => {
      const look = (): Promise<readonly LookupAddress[]> =>
        this.#ask(name, { ...options, all: true });
      if (!isKnown) awaited = name;
      (isKnown ? look() : this.#inTurn(name, look, signal)).then(
        (addresses) => {
          awaited = undefined;
          give(addresses, mayBeLoopback, options, callback);
        },
        (thrown: unknown) => {
          // One that gave up was waiting to the end.
          if (!signal.aborted) awaited = undefined;
          callback(thrown as NodeJS.ErrnoException, '', 0);
        },
      );
    };
    return { find, isQueued: () => awaited !== undefined && awaited !== this.#current };
  }

  #inTurn(
    name: string,
    look: () => Promise<readonly LookupAddress[]>,
    signal: AbortSignal,
  ): Promise<readonly LookupAddress[]> {
    return this.#flights.run(name, signal, async (shared) => {
      const found = await this.#place.runToEnd(shared, async () => {
        this.#current = name;
        return look().finally(() => (this.#current = undefined));
      });
      if (found === undefined) throw late(name);
      return found;
    });
  }
}

function late(name: string): ImageCheckerError {
  return unavailable(`expected an address for ${name}, got none before the deadline`);
}

function give(
  addresses: readonly LookupAddress[],
  mayBeLoopback: boolean,
  options: LookupOptions,
  callback: Parameters<LookupFunction>[2],
): void {
  const refusals = addresses.map(({ address }) => refusalOf(address, mayBeLoopback));
  const allowed = addresses.filter((_each, index) => refusals[index] === undefined);
  const [first] = allowed;
  if (first === undefined) callback(refusedAddress(refusals[0] ?? 'no address'), '', 0);
  else if (options.all === true) callback(null, allowed);
  else callback(null, first.address, first.family);
}
