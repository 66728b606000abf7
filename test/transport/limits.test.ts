import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { headOf, openConnection, outcome, readAll, reviewOf } from '../support/requests.ts';
import type { Question } from '../support/requests.ts';
import { startTestService, untilInFlight } from '../support/service.ts';
import type { TestService } from '../support/service.ts';

const IN_FLIGHT = 3;
const BODY = reviewOf(['docker.io/nginx']);
const HEAD = headOf(Buffer.byteLength(BODY));

let pki: TestPki;
let service: TestService;

beforeAll(async () => {
  pki = await newTestPki();
  service = await startTestService(pki, { limits: { inFlight: IN_FLIGHT } });
});

afterAll(async () => {
  await service.end();
});

interface Held {
  readonly socket: TLSSocket;
  /** The connection below TLS, for a reset. */
  readonly raw: Socket;
}

async function open(): Promise<Held> {
  const raw = connect(service.port, '127.0.0.1').on('error', () => undefined);
  const socket = await openConnection(service.as(pki.client), { socket: raw });
  return { socket, raw };
}

describe('more reviews than may be in flight', () => {
  let held: Held[] = [];

  /** Begins as many reviews as may be in flight, and leaves their bodies open. */
  async function fill(): Promise<void> {
    held = await Promise.all(Array.from({ length: IN_FLIGHT }, open));
    for (const { socket } of held) socket.write(HEAD + BODY.slice(0, 20));
    // Who asks meanwhile could take the place of one of them.
    await untilInFlight(service, IN_FLIGHT);
    await untilAnswered(429);
  }

  async function untilAnswered(status: number): Promise<void> {
    let got: unknown;
    for (let turn = 0; turn < 200 && got !== status; turn++) {
      got = await outcome(service.as(pki.client));
    }
    expect(got).toBe(status);
  }

  afterEach(async () => {
    for (const { socket } of held) socket.destroy();
    await untilAnswered(200);
  });

  it('are shed with a bare 429, for kube-apiserver to ask again', async () => {
    await fill();
    const { status, headers, text } = await service.ask();
    expect(status).toBe(429);
    expect(headers).not.toHaveProperty('retry-after');
    expect(JSON.parse(text)).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      code: 429,
      reason: 'TooManyRequests',
      message: 'image-checker: more than 3 reviews are in flight',
    });
  });

  it('are shed on a connection that goes on to serve', async () => {
    await fill();
    const [first] = held;
    const socket = await openConnection(service.as(pki.client));
    const all = readAll(socket);
    socket.write(HEAD + BODY);
    await once(socket, 'data');
    first?.socket.destroy();
    await untilAnswered(200);
    socket.write(HEAD.replace('Host', 'Connection: close\r\nHost') + BODY);
    expect((await all).match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 429', 'HTTP/1.1 200']);
  });

  it('keep none of those that were there before from being answered', async () => {
    await fill();
    const answers = held.map(({ socket }) => readAll(socket));
    const begun = held.map(({ socket }) => once(socket, 'data'));
    for (const { socket } of held) socket.write(BODY.slice(20));
    await Promise.all(begun);
    await untilAnswered(200);
    for (const { socket } of held) socket.end();
    for (const answer of answers) expect(await answer).toMatch(/^HTTP\/1.1 200 .*"allowed":true/s);
  });

  it.each([
    ['closes the connection', ({ socket }: Held) => socket.destroy()],
    ['resets the connection', ({ raw }: Held) => raw.resetAndDestroy()],
    ['ends its side', ({ socket }: Held) => socket.end()],
    ['sends a body that is none', ({ socket }: Held) => socket.write('x'.repeat(BODY.length))],
  ])('have room again when a client %s', async (_title, leave) => {
    await fill();
    for (const each of held) leave(each);
    await untilAnswered(200);
  });

  it('does not count what is refused', async () => {
    const refused: Question[] = [
      { body: '[]' },
      { body: ' '.repeat(4 * 1024 * 1024) },
      { headers: { 'Content-Type': 'text/plain' } },
      { headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' } },
      { method: 'PUT' },
      { path: '/' },
    ];
    for (let turn = 0; turn < IN_FLIGHT + 1; turn++) {
      for (const question of refused) {
        expect(await outcome(service.as(pki.client), question)).toBeLessThan(429);
      }
    }
    expect((await service.ask()).status).toBe(200);
  });

  it('are counted across pipelined reviews whose client is gone', async () => {
    for (let turn = 0; turn < IN_FLIGHT * 2; turn++) {
      const socket = await openConnection(service.as(pki.client));
      socket.write((HEAD + BODY).repeat(10));
      if (turn % 2 === 0) await once(socket, 'data');
      socket.destroy();
    }
    await untilAnswered(200);
  });
});

describe('a client that leaves', () => {
  const LARGE = reviewOf(['docker.io/nginx'], { filler: 'x'.repeat(2_900_000) });

  it.each([
    ['while its answer is written', ({ socket }: Held) => socket.destroy()],
    ['with a reset while its answer is written', ({ raw }: Held) => raw.resetAndDestroy()],
  ])('costs the service nothing %s', async (_title, leave) => {
    for (let turn = 0; turn < 10; turn++) {
      const { socket, raw } = await open();
      socket.write(headOf(Buffer.byteLength(LARGE)) + LARGE);
      await once(socket, 'data');
      leave({ socket, raw });
    }
    expect((await service.ask()).status).toBe(200);
    expect(service.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
