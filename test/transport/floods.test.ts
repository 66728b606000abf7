import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import {
  askOn,
  connectHttp2,
  headOf,
  openConnection,
  readAll,
  reviewOf,
} from '../support/requests.ts';
import { samplesOf } from '../support/samples.ts';
import { startTestService, untilInFlight } from '../support/service.ts';
import type { TestService } from '../support/service.ts';

let pki: TestPki;
let service: TestService;

beforeAll(async () => {
  pki = await newTestPki();
  service = await startTestService(pki);
});

afterAll(async () => {
  await service.end();
});

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const TYPE = { data: 0, headers: 1, priority: 2, reset: 3, settings: 4, ping: 6, continuation: 9 };
const END_STREAM = 1;
const END_HEADERS = 4;

/** A frame of HTTP/2 (RFC 9113, 4.1). */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** `:method: POST`, `:scheme: https`, `:path: /`, of HPACK's static table, and `:authority: x`. */
const HEADERS = Buffer.from([0x83, 0x87, 0x84, 0x41, 0x01, 0x78]);

/** A connection of HTTP/2 that speaks in frames of its own making. */
async function openRaw(settings = Buffer.alloc(0)): Promise<TLSSocket> {
  const socket = await openConnection(service.as(pki.client), { ALPNProtocols: ['h2'] });
  socket.resume();
  socket.write(PREFACE);
  socket.write(frame(TYPE.settings, 0, 0, settings));
  return socket;
}

/** Writes pieces until the other side hangs up; how many it took, `limit` at most. */
async function flood(
  socket: Socket,
  piece: (nth: number) => Buffer,
  limit: number,
): Promise<number> {
  let sent = 0;
  while (sent < limit && !socket.destroyed) {
    for (let count = 0; count < 50; count++) socket.write(piece(sent++));
    await new Promise((resolve) => setImmediate(resolve));
    if (sent % 500 === 0) await sleep(5);
  }
  for (let turn = 0; turn < 200 && !socket.destroyed; turn++) await sleep(10);
  return sent;
}

/** The frames of a whole review but for the mark that nothing follows; it may say another length. */
function reviewOn(stream: number, said?: number): Buffer {
  const body = reviewOf(['docker.io/nginx']);
  const headers = { ':method': 'POST', ':scheme': 'https', ':path': '/check-image' };
  const length = String(said ?? body.length);
  const more = { ':authority': 'x', 'content-type': 'application/json', 'content-length': length };
  const block = Object.entries({ ...headers, ...more }).map(([name, value]) =>
    literal(name, value),
  );
  return Buffer.concat([
    frame(TYPE.headers, END_HEADERS, stream, Buffer.concat(block)),
    frame(TYPE.data, 0, stream, Buffer.from(body)),
  ]);
}

/** A header of HPACK, neither indexed nor compressed (RFC 7541, 6.2.2). */
function literal(name: string, value: string): Buffer {
  const text = (part: string): Buffer[] => [Buffer.of(part.length), Buffer.from(part)];
  return Buffer.concat([Buffer.of(0), ...text(name), ...text(value)]);
}

const idOf = (nth: number): number => 2 * nth + 1;

describe('a review that is taken back as soon as it is whole', () => {
  it.each([
    ['without a fault', 0],
    ['as cancelled', 8],
  ])('is in flight no longer: %s', async (_title, code) => {
    const socket = await openRaw();
    const reset = Buffer.of(0, 0, 0, code);
    for (let nth = 0; nth < 20; nth++) {
      socket.write(Buffer.concat([reviewOn(idOf(nth)), frame(TYPE.reset, 0, idOf(nth), reset)]));
    }
    socket.write(reviewOn(idOf(20)));
    await untilInFlight(service, 1);
    socket.write(frame(TYPE.data, END_STREAM, idOf(20)));
    await untilInFlight(service, 0);
    socket.destroy();
  });
});

describe('a review that is taken back when its answer waits to be read', () => {
  async function expectLetGo(): Promise<void> {
    await sleep(50);
    const started = performance.now();
    await untilInFlight(service, 0);
    expect(performance.now() - started).toBeLessThan(10_000);
  }

  it('is in flight no longer, and its connection goes on', async () => {
    const settings = { initialWindowSize: 0 };
    const session = connectHttp2(service.as(pki.client), { settings });
    await once(session, 'remoteSettings');
    const body = reviewOf(['docker.io/nginx']);
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const stream = session.request({ ':method': 'POST', ':path': '/check-image', ...headers });
    stream.on('error', () => undefined).end(body);
    await once(stream, 'response');
    stream.close();
    await expectLetGo();
    session.settings({ initialWindowSize: 65_535 });
    expect((await askOn(session)).status).toBe(200);
    session.destroy();
  });

  it('is in flight no longer when it was too long', async () => {
    const noWindow = Buffer.of(0, 4, 0, 0, 0, 0);
    const socket = await openRaw(noWindow);
    socket.write(reviewOn(1, 99_999_999));
    await untilInFlight(service, 1);
    await sleep(200);
    socket.write(frame(TYPE.reset, 0, 1, Buffer.alloc(4)));
    await expectLetGo();
    socket.destroy();
  });
});

describe('a flood of frames that ask for nothing', () => {
  const floods: [string, (nth: number) => Buffer][] = [
    ['pings', () => frame(TYPE.ping, 0, 0, Buffer.alloc(8))],
    ['settings', () => frame(TYPE.settings, 0, 0)],
    ['priorities', () => frame(TYPE.priority, 0, 1, Buffer.from([0, 0, 0, 3, 1]))],
    [
      'streams that are taken back at once',
      (nth) =>
        Buffer.concat([
          frame(TYPE.headers, END_HEADERS, idOf(nth), HEADERS),
          frame(TYPE.reset, 0, idOf(nth), Buffer.from([0, 0, 0, 8])),
        ]),
    ],
    [
      'reviews that are taken back at once, without a fault',
      (nth) =>
        Buffer.concat([reviewOn(idOf(nth)), frame(TYPE.reset, 0, idOf(nth), Buffer.alloc(4))]),
    ],
    [
      'headers that go on and on',
      (nth) =>
        nth === 0
          ? frame(TYPE.headers, END_STREAM, 1, HEADERS)
          : frame(TYPE.continuation, 0, 1, Buffer.from([0x00, 0x01, 0x61, 0x01, 0x62])),
    ],
  ];

  it.each(floods)('ends the connection it comes over, and no other: %s', async (_title, piece) => {
    const other = connectHttp2(service.as(pki.client));
    const socket = await openRaw();
    const sent = await flood(socket, piece, 20_000);
    expect([socket.destroyed, sent < 20_000]).toEqual([true, true]);
    expect((await askOn(other)).status).toBe(200);
    expect((await service.ask()).status).toBe(200);
    other.destroy();
  });

  it('is counted, once for each connection that was cut', async () => {
    const before = await limitRefusals('http2_frames');
    const socket = await openRaw();
    await flood(socket, () => frame(TYPE.ping, 0, 0, Buffer.alloc(8)), 20_000);
    expect(await limitRefusals('http2_frames')).toBe(before + 1);
  });
});

async function limitRefusals(limit: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${service.adminPort}/metrics`)).text();
  return samplesOf(text, 'image_checker_limit_refusals_total')[`limit="${limit}"`] ?? 0;
}

/** Sends pieces for as long as somebody takes them; seconds until the other side hung up. */
async function floodUntilCut(socket: Socket, piece: (nth: number) => Buffer): Promise<number> {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  for (let nth = 0; !socket.destroyed && seconds() < 30; nth++) {
    if (!socket.write(piece(nth))) await Promise.race([once(socket, 'drain'), sleep(100)]);
    if (nth % 100 === 99) await sleep(5);
  }
  return seconds();
}

describe('a flood that HTTP/2 itself is to ignore', () => {
  it('is cut off within seconds: a body that nobody waits for, without a byte in its pieces', async () => {
    const socket = await openRaw();
    const seconds = await floodUntilCut(socket, (nth) => {
      return nth === 0 ? frame(TYPE.headers, END_HEADERS, 1, HEADERS) : frame(TYPE.data, 0, 1);
    });
    expect(seconds).toBeLessThan(20);
    expect((await service.ask()).status).toBe(200);
  });

  it('is read no further: frames longer than the service has said', async () => {
    const socket = await openRaw();
    const tooLong = frame(TYPE.data, 0, 1, Buffer.alloc(20_000));
    let taken = 0;
    // What the system itself holds of a connection is some megabytes.
    while (!socket.destroyed && taken < 2000) {
      taken++;
      if (socket.write(tooLong)) continue;
      const went = await Promise.race([once(socket, 'drain'), sleep(1000, 'stuck')]);
      if (went === 'stuck') break;
    }
    expect(taken).toBeLessThan(2000);
    expect((await service.ask()).status).toBe(200);
    socket.destroy();
  });
});

describe('a client that is slow', () => {
  it('has its stream cut when the body of its review never ends', async () => {
    const session = connectHttp2(service.as(pki.client));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/check-image',
      'content-type': 'application/json',
    });
    stream.on('error', () => undefined);
    const drip = setInterval(() => stream.write(' '), 500);
    const started = performance.now();
    await once(stream, 'close');
    clearInterval(drip);
    const seconds = (performance.now() - started) / 1000;
    expect(seconds).toBeGreaterThan(15);
    expect(seconds).toBeLessThan(30);
    expect((await askOn(session)).status).toBe(200);
    session.destroy();
  }, 60_000);

  it.each([
    ['the body of its review', headOf(100), 'x', 15],
    ['its headers', 'POST /check-image HTTP/1.1\r\n', 'a: b\r\n', 7],
  ])(
    'of HTTP/1.1 is cut off when %s never end',
    async (_title, head, drop, atLeast) => {
      const socket = await openConnection(service.as(pki.client));
      const all = readAll(socket);
      socket.write(head);
      const drip = setInterval(() => socket.write(drop), 500);
      const started = performance.now();
      const text = await all;
      clearInterval(drip);
      const seconds = (performance.now() - started) / 1000;
      expect(seconds).toBeGreaterThan(atLeast);
      expect(seconds).toBeLessThan(30);
      expect(text).not.toContain('allowed');
    },
    60_000,
  );
});

describe('peers that begin handshakes and leave them', () => {
  it('are reset beyond a number, and shut nobody out for good', async () => {
    const sockets = Array.from({ length: 200 }, () =>
      connectPlain(service.port, '127.0.0.1').on('error', () => undefined),
    );
    let reset = 0;
    for (const socket of sockets) socket.once('close', () => reset++);
    for (let turn = 0; turn < 300 && reset < 72; turn++) await sleep(10);
    expect(reset).toBe(200 - 128);
    expect(await limitRefusals('handshakes')).toBe(200 - 128);
    for (const socket of sockets) socket.destroy();
    let status: unknown;
    for (let turn = 0; turn < 100 && status !== 200; turn++) {
      status = await service.ask().then(
        (answer) => answer.status,
        () => sleep(20),
      );
    }
    expect(status).toBe(200);
  });
});

describe('a peer that is slow', () => {
  it('has its handshake cut when it never ends', async () => {
    const socket = connectPlain(service.port, '127.0.0.1').on('error', () => undefined);
    const started = performance.now();
    // The first bytes of a record of TLS that is to be longer.
    socket.write(Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252]));
    await once(socket, 'close');
    const seconds = (performance.now() - started) / 1000;
    expect(seconds).toBeGreaterThan(5);
    expect(seconds).toBeLessThan(30);
    expect((await service.ask()).status).toBe(200);
  }, 60_000);

  it('has its stream cut when it never takes its answer, and may ask again', async () => {
    const settings = { initialWindowSize: 0 };
    const session = connectHttp2(service.as(pki.client), { settings });
    await once(session, 'remoteSettings');
    const body = reviewOf(['docker.io/nginx']);
    const started = performance.now();
    const cut = [{}, { 'content-length': body.length }].map(async (headers) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/check-image',
        'content-type': 'application/json',
        ...headers,
      });
      stream.on('error', () => undefined).resume();
      stream.end(body);
      await once(stream, 'close');
      expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
      expect((performance.now() - started) / 1000).toBeGreaterThan(25);
    });
    await Promise.all(cut);
    session.settings({ initialWindowSize: 65_535 });
    expect((await askOn(session)).status).toBe(200);
    session.destroy();
  }, 90_000);
});

describe('an event loop that is late', () => {
  it('makes the service unready, until it is in time again', async () => {
    const ready = async (): Promise<{ status: number; body: string }> => {
      const response = await fetch(`http://127.0.0.1:${service.adminPort}/readyz`);
      return { status: response.status, body: await response.text() };
    };
    expect((await ready()).status).toBe(200);
    let late = { status: 200, body: '' };
    for (let turn = 0; turn < 15 && late.status === 200; turn++) {
      const until = performance.now() + 700;
      while (performance.now() < until);
      await new Promise((resolve) => setImmediate(resolve));
      if (turn > 4) late = await ready();
    }
    expect(late).toEqual({
      status: 503,
      body: expect.stringMatching(/the event loop is \d+ ms late/),
    });
    let after = late;
    for (let turn = 0; turn < 100 && after.status !== 200; turn++) {
      await sleep(100);
      after = await ready();
    }
    expect(after.status).toBe(200);
  }, 60_000);
});
