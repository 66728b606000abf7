import type { LookupAddress } from 'node:dns';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { ByteBudget } from '../../src/registry/byte-budget.ts';
import { Courier } from '../../src/registry/courier.ts';
import { endpointOf } from '../../src/registry/endpoint.ts';
import { HostPool } from '../../src/registry/host-pool.ts';
import { Lookups } from '../../src/registry/lookups.ts';
import type { Lookup, Named } from '../../src/registry/lookups.ts';

const KNOWN = { isKnown: true, mayBeLoopback: false };
const FOREIGN = { isKnown: false, mayBeLoopback: false };
const ADDRESS = { address: '192.0.2.1', family: 4 };

/** A system that knows every name but those that begin with `silent`, until it is told of them. */
function system(...known: readonly LookupAddress[]) {
  const asked: string[] = [];
  const waiting = new Map<string, (found: LookupAddress[]) => void>();
  const lookups = new Lookups((name) => {
    asked.push(name);
    if (!name.startsWith('silent')) return Promise.resolve([...known]);
    return new Promise((resolve) => waiting.set(name, resolve));
  });
  return {
    asked,
    lookups,
    tell: async (name: string): Promise<void> => {
      waiting.get(name)?.([ADDRESS]);
      await turn();
    },
  };
}

interface Asked extends Lookup {
  /** What it came to; undefined as long as it goes on. */
  readonly outcome: () => unknown;
  readonly giveUp: () => Promise<void>;
}

async function ask(lookups: Lookups, name: string, named: Named, all = true): Promise<Asked> {
  const controller = new AbortController();
  const lookup = lookups.of(named, controller.signal);
  let outcome: unknown;
  lookup.find(name, { all }, (error, ...found) => (outcome = error ?? found));
  await turn();
  return {
    ...lookup,
    outcome: () => outcome,
    giveUp: async () => {
      controller.abort();
      await turn();
    },
  };
}

describe('a name of the config', () => {
  it('waits for no other', async () => {
    const { lookups } = system(ADDRESS);
    for (const name of ['silent-1', 'silent-2', 'silent-3']) await ask(lookups, name, FOREIGN);
    const { outcome, isQueued } = await ask(lookups, 'a.test', KNOWN);
    expect(outcome()).toEqual([[ADDRESS]]);
    expect(isQueued()).toBe(false);
  });

  it('is never queued, however long its name server is silent', async () => {
    const { lookups } = system();
    await ask(lookups, 'silent-1', FOREIGN);
    const { outcome, isQueued } = await ask(lookups, 'silent-2', KNOWN);
    expect([outcome(), isQueued()]).toEqual([undefined, false]);
  });
});

describe('a name of others', () => {
  it('is looked up while no other one is', async () => {
    const { lookups } = system(ADDRESS);
    expect((await ask(lookups, 'a.test', FOREIGN)).outcome()).toEqual([[ADDRESS]]);
    expect((await ask(lookups, 'a.test', FOREIGN, false)).outcome()).toEqual(['192.0.2.1', 4]);
  });

  it('waits for those before it, and then has its turn', async () => {
    const { asked, lookups, tell } = system(ADDRESS);
    const first = await ask(lookups, 'silent-1', FOREIGN);
    const second = await ask(lookups, 'a.test', FOREIGN);
    expect([first.isQueued(), second.isQueued()]).toEqual([false, true]);
    expect(asked).toEqual(['silent-1']);
    await tell('silent-1');
    expect([first.isQueued(), second.isQueued()]).toEqual([false, false]);
    expect([first.outcome(), second.outcome()]).toEqual([[[ADDRESS]], [[ADDRESS]]]);
  });

  it('keeps its place when nobody waits for it any more: the system still does', async () => {
    const { asked, lookups, tell } = system(ADDRESS);
    const first = await ask(lookups, 'silent-1', FOREIGN);
    const second = await ask(lookups, 'a.test', FOREIGN);
    await first.giveUp();
    expect([asked, second.isQueued()]).toEqual([['silent-1'], true]);
    await tell('silent-1');
    expect(second.outcome()).toEqual([[ADDRESS]]);
  });

  it('is not looked up when it was given up before its turn, and says that it had none', async () => {
    const { asked, lookups, tell } = system(ADDRESS);
    await ask(lookups, 'silent-1', FOREIGN);
    const second = await ask(lookups, 'a.test', FOREIGN);
    await second.giveUp();
    expect(second.outcome()).toMatchObject({ code: 'registry-unavailable' });
    expect(second.isQueued()).toBe(true);
    await tell('silent-1');
    expect(asked).toEqual(['silent-1']);
  });

  it('is looked up once for all that ask for it meanwhile, of whom none is queued', async () => {
    const { asked, lookups, tell } = system();
    const both = [await ask(lookups, 'silent-1', FOREIGN), await ask(lookups, 'silent-1', FOREIGN)];
    expect(both.map(({ isQueued }) => isQueued())).toEqual([false, false]);
    await tell('silent-1');
    expect(both.map(({ outcome }) => outcome())).toEqual([[[ADDRESS]], [[ADDRESS]]]);
    expect(asked).toEqual(['silent-1']);
  });

  it.each([
    ['this machine', FOREIGN, '127.0.0.1', 'an address of this machine'],
    ['a metadata service', KNOWN, '169.254.169.254', 'a link-local address'],
  ])('that means %s has no address', async (_title, named, address, message) => {
    const { lookups } = system({ address, family: 4 });
    const { outcome } = await ask(lookups, 'a.test', named);
    expect(outcome()).toMatchObject({ code: 'ADDRESS_REFUSED', message });
  });

  it('that means this machine as well has its other addresses', async () => {
    const { lookups } = system({ address: '127.0.0.1', family: 4 }, ADDRESS);
    expect((await ask(lookups, 'a.test', FOREIGN)).outcome()).toEqual([[ADDRESS]]);
  });
});

describe('a request', () => {
  const hosts = { 'named.test:1': { plainHttp: false }, 'storage.test:1': { plainHttp: false } };

  /** Sends on behalf of a registry while a name that somebody invented is looked up. */
  async function send(registry: string, host: string): Promise<object> {
    const { lookups } = system({ address: '127.0.0.1', family: 4 });
    const pool = new HostPool({ now: Date.now, random: () => 0, env: {} });
    const courier = new Courier(pool, hosts, new ByteBudget(1024), lookups);
    await ask(lookups, 'silent-1', FOREIGN);
    const endpoint = endpointOf({ registry, repository: 'app' }, hosts);
    const parcel = { url: new URL(`https://${host}:1/x`), method: 'GET', headers: {} } as const;
    const time = AbortSignal.timeout(1000);
    const answer = await courier.send(endpoint, { ...parcel, maxBytes: 1 }, time);
    pool.close();
    return answer;
  }

  it.each([
    ['to a registry of the config', 'named.test:1', 'named.test', 'got a refused connection'],
    ['to where one of them sends', 'named.test:1', 'tokens.test', 'got an address of this machine'],
    [
      'of another one to a host of the config',
      'a.test',
      'storage.test',
      'got a refused connection',
    ],
  ])('%s does not wait for invented names', async (_title, registry, host, message) => {
    expect(await send(registry, host)).toMatchObject({ failed: expect.stringContaining(message) });
  });

  it.each([
    ['to another registry', 'a.test', 'a.test'],
    ['to where another registry sends', 'a.test', 'tokens.test'],
    ['to a host whose name ends alike', 'a.test', 'x.named.test'],
  ])('%s may have no turn, which is by a limit of ours', async (_title, registry, host) => {
    expect(await send(registry, host)).toMatchObject({
      failed: expect.stringContaining('got no turn to look its name up'),
      hint: expect.stringContaining('registries.hosts'),
      isOurs: true,
    });
  });
});
