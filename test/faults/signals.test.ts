import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { newPlace, start } from './service-process.ts';
import type { Place, ServiceProcess } from './service-process.ts';

/** What a client may see of a service that goes or is gone. */
const GONE = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ERR_HTTP2_\w+|Error: no answer)$/;

describe('the service, asked all the while,', () => {
  let pki: TestPki;
  let place: Place;
  let service: ServiceProcess;
  let load: Load;
  beforeAll(async () => {
    pki = await newTestPki();
  });
  beforeEach(async () => {
    place = await newPlace(pki);
    service = await start(place);
    load = startLoad(place.caller);
    await load.more(100);
    expect(load.failuresSince()).toEqual([]);
  });
  afterEach(async () => {
    await load.stop();
    await service.stop();
    await place.remove();
  });

  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 0],
    ['SIGKILL', 'SIGKILL'],
  ] as const)('ends by %s, and gives right answers once it is back', async (signal, end) => {
    service.kill(signal);
    expect(await service.ended).toBe(end);
    const gone = load.failuresSince();
    expect(gone.filter((failure) => !GONE.test(failure))).toEqual([]);
    service = await start(place);
    await load.more(200);
    const { wrong } = await load.stop();
    expect(wrong).toEqual([]);
  });

  it('answers what is in flight before it ends by SIGTERM', async () => {
    service.kill('SIGTERM');
    await service.ended;
    expect(service.logged('stopped')).toHaveLength(1);
    const answered = service.logged('image review decided').length;
    const { right, wrong } = await load.stop();
    expect(wrong).toEqual([]);
    // Whatever was decided has reached its client.
    expect(right).toBe(answered);
  });
});
