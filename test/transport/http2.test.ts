import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { issueOdd, newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { ask, askOn, connectHttp2, openConnection, PATH, reviewOf } from '../support/requests.ts';
import type { Answer } from '../support/requests.ts';
import { startTestService, untilInFlight } from '../support/service.ts';
import type { TestService } from '../support/service.ts';

const BODY = reviewOf(['docker.io/nginx']);
const HEADERS = { ':method': 'POST', ':path': PATH, 'content-type': 'application/json' };

let pki: TestPki;
let service: TestService;
const sessions: ClientHttp2Session[] = [];

beforeAll(async () => {
  pki = await newTestPki();
  service = await startTestService(pki);
});

afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
});

afterAll(async () => {
  await service.end();
});

function connect(to = service): ClientHttp2Session {
  const session = connectHttp2(to.as(pki.client));
  sessions.push(session);
  return session;
}

/** Begins a review, and leaves its body open. */
function begin(session: ClientHttp2Session, headers = {}): ClientHttp2Stream {
  const stream = session.request({ ...HEADERS, ...headers });
  stream.on('error', () => undefined).write(BODY.slice(0, 20));
  return stream;
}

async function finish(stream: ClientHttp2Stream): Promise<string> {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  stream.end(BODY.slice(20));
  await once(stream, 'close');
  return text;
}

const statusOf = async (asked: Promise<Answer>): Promise<number> => (await asked).status;

describe('a connection of HTTP/2', () => {
  it('carries many reviews, also at the same time', async () => {
    const session = connect();
    const answers = await Promise.all(Array.from({ length: 200 }, () => askOn(session)));
    expect(answers.map(({ status }) => status)).toEqual(Array(200).fill(200));
    expect(await statusOf(askOn(session))).toBe(200);
    expect(session.closed).toBe(false);
  });

  it('is answered as HTTP/1.1 is, header for header', async () => {
    const [one, two] = [await service.ask(), await service.ask({ protocol: 'HTTP/2' })];
    const same = ({ headers }: Answer): object => {
      // HTTP/2 needs no length: its frames say where an answer ends.
      const { connection, date, 'content-length': length, ...rest } = headers;
      expect(length).toBe(headers === one.headers ? String(one.text.length) : undefined);
      expect([typeof date, connection]).toEqual([
        'string',
        headers === one.headers ? 'close' : undefined,
      ]);
      delete rest[':status'];
      // A symbol, of Node's client.
      return Object.fromEntries(Object.entries(rest));
    };
    expect(same(two)).toEqual(same(one));
    const [none, other] = [{ method: 'GET' }, { path: '/x' }];
    for (const question of [none, other]) {
      const refused = await service.ask({ ...question, protocol: 'HTTP/2' });
      const asBefore = await ask(service.as(pki.client), question);
      expect(refused.text).toBe(asBefore.text);
      expect(refused.headers['content-security-policy']).toBe(
        asBefore.headers['content-security-policy'],
      );
    }
  });

  it('has its answer when its review is as long as it said, though it goes on', async () => {
    const stream = connect().request({ ...HEADERS, 'content-length': BODY.length });
    stream.write(BODY.slice(0, 20));
    await sleep(20);
    stream.write(BODY.slice(20));
    let text = '';
    stream.setEncoding('utf8').on('data', (part: string) => (text += part));
    await once(stream, 'end');
    expect(text).toContain('"allowed":true');
    await untilInFlight(service, 1);
    stream.end();
    await untilInFlight(service, 0);
  });

  it('is forbidden to ask as soon as its certificate runs out', async () => {
    let skew = 0;
    const aging = await startTestService(pki, { clock: () => Date.now() + skew });
    const until = new Date(Date.now() + 60_000);
    const session = connectHttp2(aging.as(issueOdd(pki.authority, { until })));
    const first = await statusOf(askOn(session));
    skew = 61_000;
    const second = await statusOf(askOn(session));
    session.destroy();
    expect([first, second]).toEqual([200, 403]);
    await aging.end();
  });

  it.each([
    ['CONNECT', { ':method': 'CONNECT', ':authority': 'x' }, 405],
    ['an expectation that nobody meets', { ...HEADERS, expect: 'x' }, 417],
    ['GET of what is not there', { ':method': 'GET', ':path': '/x' }, 404],
    ['GET with a body', { ':method': 'GET', ':path': PATH, 'content-length': '2' }, 405],
    ['a path that cannot be decoded', { ':method': 'GET', ':path': '/%' }, 404],
    ['no type', { ':method': 'POST', ':path': PATH }, 415],
    ['a type with a charset', { ...HEADERS, 'content-type': 'application/json; charset=x' }, 200],
    ['a continuation that is asked for', { ...HEADERS, expect: '100-continue' }, 200],
  ])('is no way to end the process: %s', async (_title, headers, status) => {
    const session = connect();
    const stream = session.request(headers, { endStream: false });
    stream.on('error', () => undefined).resume();
    const answered = once(stream, 'response') as Promise<[{ ':status': number }]>;
    if (headers[':method'] === 'POST') stream.end(BODY);
    else stream.end('{}');
    expect((await answered)[0][':status']).toBe(status);
    expect(await statusOf(askOn(session))).toBe(200);
  });

  it.each([
    [
      'is cut off in the middle of a body',
      (session: ClientHttp2Session) => {
        session.destroy();
      },
    ],
    [
      'is ended by an error',
      (session: ClientHttp2Session) => {
        session.destroy(new Error('x'), 2);
      },
    ],
  ])('costs nothing when it %s', async (_title, leave) => {
    const session = connect();
    for (let count = 0; count < 20; count++) begin(session);
    await askOn(session);
    leave(session);
    expect(await statusOf(service.ask())).toBe(200);
    expect(service.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('costs nothing when what comes over it is none', async () => {
    const noise = [
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      Buffer.alloc(4096, 0xff),
    ];
    for (const bytes of noise) {
      const socket = await openConnection(service.as(pki.client), { ALPNProtocols: ['h2'] });
      socket.resume().write(bytes);
      await once(socket, 'close');
    }
    expect(await statusOf(service.ask())).toBe(200);
  });
});

describe('a limit of reviews in flight', () => {
  let small: TestService;
  beforeAll(async () => {
    small = await startTestService(pki, { limits: { inFlight: 3 } });
  });
  afterAll(async () => {
    await small.end();
  });

  it('counts those of both protocols, and is answered with a bare 429', async () => {
    const session = connect(small);
    const held = [begin(session), begin(session)];
    const socket = await openConnection(small.as(pki.client));
    socket.write(
      `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n`,
    );
    // Who asks meanwhile could take the place of those that are to be held.
    await untilInFlight(small, 3);
    const answer = await askOn(session);
    expect(answer.status).toBe(429);
    expect(answer.headers).not.toHaveProperty('retry-after');
    expect(JSON.parse(answer.text)).toMatchObject({ kind: 'Status', code: 429 });
    expect(await statusOf(small.ask())).toBe(429);
    socket.destroy();
    for (const stream of held) expect(await finish(stream)).toContain('"allowed":true');
    expect(await statusOf(askOn(session))).toBe(200);
  });

  it('has room again when a client takes its reviews back', async () => {
    const session = connect(small);
    const held = Array.from({ length: 3 }, () => begin(session));
    while ((await statusOf(askOn(session))) === 200);
    for (const stream of held) stream.close();
    await Promise.all(held.map((stream) => once(stream, 'close')));
    expect(await statusOf(askOn(session))).toBe(200);
  });
});

describe('a renewal of the certificates', () => {
  it('sends the clients of HTTP/2 away, and takes no answer from anybody', async () => {
    const renewed = await startTestService(pki);
    const session = connect(renewed);
    const goaway = once(session, 'goaway');
    const stream = begin(session);
    await askOn(session);
    await writeFile(renewed.config.tls.clientCA, pki.otherAuthority.certificate);
    await renewed.reload();
    const [code] = (await goaway) as [number];
    expect(code).toBe(0);
    expect(await finish(stream)).toContain('"allowed":true');
    if (!session.destroyed) await once(session, 'close');
    await expect(renewed.ask({ protocol: 'HTTP/2' })).rejects.toThrow();
    const other = renewed.as(issueOdd(pki.otherAuthority, {}));
    expect(await statusOf(ask(other, { protocol: 'HTTP/2' }))).toBe(200);
    await renewed.end();
  });

  it('gives a connection that came in just after it one request', async () => {
    const renewed = await startTestService(pki);
    await writeFile(
      renewed.config.tls.clientCA,
      pki.otherAuthority.certificate + pki.authority.certificate,
    );
    await renewed.reload();
    const session = connect(renewed);
    expect(await statusOf(askOn(session))).toBe(200);
    if (!session.destroyed) await once(session, 'close');
    await renewed.end();
  });
});

describe('a stop', () => {
  it('does not wait for a connection of HTTP/2 that is idle', async () => {
    const stopped = await startTestService(pki);
    const session = connect(stopped);
    await askOn(session);
    const started = performance.now();
    await stopped.end();
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('does not wait long for one that never says a word', async () => {
    const stopped = await startTestService(pki);
    const socket = await openConnection(stopped.as(pki.client), { ALPNProtocols: ['h2'] });
    socket.resume();
    const started = performance.now();
    await stopped.end();
    expect(performance.now() - started).toBeLessThan(9000);
  });

  it('answers what is in flight on it, and leaves the rest to be asked again', async () => {
    const stopped = await startTestService(pki);
    const session = connect(stopped);
    const stream = begin(session);
    await askOn(session);
    const meanwhile = askOn(session).then(({ status }) => String(status), String);
    const stopping = stopped.end();
    expect(await meanwhile).toMatch(/^200$|NGHTTP2_REFUSED_STREAM/);
    await sleep(100);
    expect(await finish(stream)).toContain('"allowed":true');
    await stopping;
    await expect(stopped.ask({ protocol: 'HTTP/2' })).rejects.toThrow();
  });

  it('lets an answer be read that is longer than the system takes at once', async () => {
    const stopped = await startTestService(pki, { limits: { bodyBytes: 32 * 1024 * 1024 } });
    const body = reviewOf(['docker.io/nginx'], { filler: 'x'.repeat(10_000_000) });
    const session = connect(stopped);
    const stream = session.request(HEADERS);
    stream.end(body);
    await once(stream, 'response');
    const stopping = stopped.end();
    await sleep(50);
    const text = await finishReading(stream);
    await stopping;
    expect(text.length).toBeGreaterThan(10_000_000);
    expect(text).toMatch(/"allowed":true.*\}$/);
  });

  async function finishReading(stream: ClientHttp2Stream): Promise<string> {
    let text = '';
    stream.setEncoding('utf8').on('data', (part: string) => (text += part));
    await once(stream, 'close');
    return text;
  }
});
