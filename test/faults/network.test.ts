import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { newTestPki } from '../support/certificates.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { asRoot } from './programs.ts';
import { launch, newPlace } from './service-process.ts';
import type { Place, ServiceProcess } from './service-process.ts';

/** What a client waits here for its answer; kube-apiserver waits 30 s. */
const ANSWER_MS = 3_000;
/** Longer than that, so that every client sees it. */
const CUT_MS = 10_000;

describe('a service on another host', () => {
  const network = newNetwork();
  let place: Place;
  let service: ServiceProcess;
  let load: Load;
  beforeAll(async () => {
    network.open();
    place = await newPlace(await newTestPki(), { listen: { host: '0.0.0.0', port: network.port } });
    service = launch(place, { under: [...asRoot(), 'ip', 'netns', 'exec', network.name] });
    load = startLoad(
      { ...place.caller, host: network.service, port: network.port },
      { answerMs: ANSWER_MS },
    );
    await load.more(50);
    load.failuresSince();
  });
  afterAll(async () => {
    await load.stop();
    await service.stop();
    network.close();
    await place.remove();
  });

  it.each(['the cable is pulled', 'packets are lost'] as const)(
    'is asked in vain while %s, and answers rightly when it is back',
    async (how) => {
      network.cut(how);
      await sleep(CUT_MS);
      const seen = load.failuresSince();
      expect(seen).toContain('Error: no answer in time');
      network.mend();
      await load.more(50);
      load.failuresSince();
      await load.more(50);
      expect(load.failuresSince()).toEqual([]);
      expect(load.seen.wrong).toEqual([]);
    },
  );
});

/** Two hosts on one cable: this one, and a network namespace for the service. */
function newNetwork() {
  const number = randomInt(1, 250);
  const name = `image-checker-${number}`;
  const [here, there] = [`ich${number}`, `ics${number}`];
  // Link-local, so that it is in nobody's way.
  const [client, service] = [`169.254.${number}.1`, `169.254.${number}.2`];
  const ip = (...args: readonly string[]): void => {
    const [program = '', ...rest] = [...asRoot(), 'ip', ...args];
    execFileSync(program, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const inside = (...args: readonly string[]): void => {
    ip('netns', 'exec', name, ...args);
  };
  let mend = (): void => undefined;
  return {
    name,
    service,
    port: 1234,
    open() {
      ip('netns', 'add', name);
      ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name);
      ip('addr', 'add', `${client}/30`, 'dev', here);
      ip('link', 'set', here, 'up');
      inside('ip', 'addr', 'add', `${service}/30`, 'dev', there);
      inside('ip', 'link', 'set', there, 'up');
      inside('ip', 'link', 'set', 'lo', 'up');
    },
    cut(how: 'the cable is pulled' | 'packets are lost') {
      if (how === 'the cable is pulled') {
        inside('ip', 'link', 'set', there, 'down');
        mend = () => {
          inside('ip', 'link', 'set', there, 'up');
        };
      } else {
        inside('ip', 'route', 'add', 'blackhole', `${client}/32`);
        mend = () => {
          inside('ip', 'route', 'del', 'blackhole', `${client}/32`);
        };
      }
    },
    mend: () => {
      mend();
    },
    close() {
      ip('netns', 'del', name);
    },
  };
}
