import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../e2e/eventually.ts';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { fakeClock } from './programs.ts';
import { newPlace, readinessAt, start } from './service-process.ts';
import type { Place, ServiceProcess } from './service-process.ts';

/** On new connections the handshake fails, on those that were open the name is refused. */
const REFUSED = /^(?:status 403|ECONNRESET|EPIPE|ERR_SSL_\w+|ERR_HTTP2_\w+|Error: no answer)$/;

describe('a clock that jumps', () => {
  let pki: TestPki;
  let place: Place;
  let service: ServiceProcess;
  let load: Load;
  let clockFile: string;
  /** Sets the clock of the service alone, as a time server that is wrong would. */
  const setClock = async (offset: string): Promise<void> => {
    await writeFile(`${clockFile}.new`, offset);
    await rename(`${clockFile}.new`, clockFile);
  };
  beforeAll(async () => {
    pki = await newTestPki();
  });
  beforeEach(async () => {
    place = await newPlace(pki);
    clockFile = join(place.folder, 'clock');
    await setClock('+0');
    service = await start(place, { env: fakeClock(clockFile) });
    load = startLoad(place.caller);
    await load.more(50);
    expect(load.failuresSince()).toEqual([]);
  });
  afterEach(async () => {
    await load.stop();
    await service.stop();
    await place.remove();
  });

  it.each([
    ['a year ahead', '+400d', /^the certificate expired on 20/],
    ['a year back', '-400d', /^the certificate is not valid before 20/],
  ])(
    '%s refuses without a wrong answer, says so, and serves again when it is right again',
    async (_title, offset, reason) => {
      await setClock(offset);
      await eventually('a service that is not ready', async () => {
        return (await readinessAt(place))?.reasons.find((each) => reason.test(each));
      });
      await eventually('clients that are refused', () => load.failuresSince()[0]);
      const strange = [...load.seen.failures.keys()].filter((failure) => !REFUSED.test(failure));
      expect(strange).toEqual([]);
      await setClock('+0');
      await eventually('a service that is ready', async () => {
        return (await readinessAt(place))?.ready === true || undefined;
      });
      load.failuresSince();
      await load.more(50);
      const { wrong } = await load.stop();
      expect(wrong).toEqual([]);
      // Its timers run by the other clock: it neither reloaded nor stopped.
      expect(service.logged('stopping')).toEqual([]);
    },
  );
});
