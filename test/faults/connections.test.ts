import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newTestPki } from '../support/certificates.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { newPlace, readinessAt, start } from './service-process.ts';
import type { Place, ServiceProcess } from './service-process.ts';

const CONNECTIONS = 10_000;
/** Of these so many speak TLS to the end of the handshake, which costs us a signature each. */
const HANDSHAKES = 2_000;
/** At a time; more than the service lets one address begin. */
const AT_A_TIME = 400;
/** A neighbour of kube-apiserver, by another address of loopback. */
const STRANGER = '127.0.0.2';
/** MiB that all of it may leave behind. */
const GROWTH = 100;

describe(`${CONNECTIONS} connections without a certificate`, () => {
  let place: Place;
  let service: ServiceProcess;
  let load: Load;
  beforeAll(async () => {
    place = await newPlace(await newTestPki());
    service = await start(place);
    load = startLoad(place.caller);
    await load.more(50);
  });
  afterAll(async () => {
    await load.stop();
    await service.stop();
    await place.remove();
  });

  it('get nothing, hold nothing, and keep nobody from right answers', async () => {
    const before = await residentMiB(service.pid);
    const ends = new Map<string, number>();
    let left = CONNECTIONS;
    const one = async (): Promise<void> => {
      while (left-- > 0) {
        const end = await knock(place.port, left < HANDSHAKES);
        ends.set(end, (ends.get(end) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, one));
    expect(ends.get('answered')).toBeUndefined();
    expect((await readinessAt(place))?.ready).toBe(true);
    await load.more(50);
    const { wrong, failures } = await load.stop();
    expect(wrong).toEqual([]);
    expect([...failures]).toEqual([]);
    expect((await residentMiB(service.pid)) - before).toBeLessThan(GROWTH);
  });
});

/** A connection that says nothing, or that shakes hands without a certificate and then asks. */
function knock(port: number, shakes: boolean): Promise<string> {
  return new Promise((resolve) => {
    const where = { host: '127.0.0.1', port, localAddress: STRANGER };
    const socket = shakes ? connectTls({ ...where, rejectUnauthorized: false }) : connectTcp(where);
    if (shakes) socket.write('POST /check-image HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    socket.once('data', () => {
      resolve('answered');
      socket.destroy();
    });
    socket.once('error', () => undefined);
    socket.once('close', () => {
      resolve('closed');
    });
    // Long enough for many of them to be open at the same time.
    if (!shakes) setTimeout(() => socket.destroy(), 200).unref();
  });
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
