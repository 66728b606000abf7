import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createPlainServer } from '../../src/transport/http1.ts';
import { listen, probeListen } from '../../src/transport/listen.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
/** Far beyond what a test waits for. */
const LONG_MS = 60_000;
const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

interface Running {
  readonly server: Server;
  readonly port: number;
  readonly stop: (graceMs: number) => Promise<void>;
  /** Waits until so many requests have arrived. */
  readonly arrived: (requests: number) => Promise<void>;
}

const running: Running[] = [];

async function start(listener: RequestListener): Promise<Running> {
  const endpoint = createPlainServer(listener);
  const { server } = endpoint;
  const listening = await listen(endpoint, LOOPBACK, 'listen');
  const stop = (graceMs: number): Promise<void> => listening.stop(graceMs);
  let requests = 0;
  server.on('request', () => requests++);
  const arrived = async (count: number): Promise<void> => {
    while (requests < count) await sleep(2);
  };
  const started = { server, port: listening.address.port, stop, arrived };
  running.push(started);
  return started;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop(0)));
});

async function open(port: number, text: string): Promise<{ socket: Socket; all: Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const all = new Promise<string>((resolve) => {
    let received = '';
    socket.setEncoding('utf8').on('data', (part: string) => (received += part));
    socket
      .on('error', () => undefined)
      .on('close', () => {
        resolve(received);
      });
  });
  socket.write(text);
  return { socket, all };
}

/** Milliseconds that something takes. */
async function timed(action: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action;
  return performance.now() - started;
}

describe('a stop', () => {
  it('does not wait for connections that are idle, new or half begun', async () => {
    const { port, stop } = await start((_request, response) => response.end('x'));
    const agent = new Agent({ keepAlive: true });
    get({ port, host: '127.0.0.1', agent }).on('response', (response) => response.resume());
    const answered = await open(port, GET);
    const others = [await open(port, ''), await open(port, 'GET / HT'), answered];
    await once(answered.socket, 'data');
    expect(await timed(stop(LONG_MS))).toBeLessThan(5000);
    await Promise.all(others.map(({ all }) => all));
    agent.destroy();
  });

  it('waits for what is in flight, and no longer', async () => {
    let answer = (): void => undefined;
    const { port, stop, arrived } = await start((_request, response) => {
      answer = () => response.end('answered');
    });
    const { all } = await open(port, GET);
    await arrived(1);
    const stopping = stop(LONG_MS);
    await sleep(50);
    answer();
    expect(await timed(stopping)).toBeLessThan(5000);
    expect(await all).toMatch(/^HTTP\/1.1 200 OK.*answered/s);
  });

  it('lets a body arrive that was on its way, and answers it', async () => {
    const { port, stop, arrived } = await start((request, response) => {
      request.resume().on('end', () => response.end('whole'));
    });
    const { socket, all } = await open(
      port,
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na',
    );
    await arrived(1);
    const stopping = stop(LONG_MS);
    socket.write('b');
    await sleep(50);
    socket.write('c');
    await stopping;
    expect(await all).toMatch(/^HTTP\/1.1 200 OK.*whole/s);
  });

  it('lets a long answer be read to its end', async () => {
    const long = 'x'.repeat(20_000_000);
    const { port, stop } = await start((_request, response) => response.end(long));
    const { socket, all } = await open(port, GET.replace('Host', 'Connection: close\r\nHost'));
    await once(socket, 'data');
    socket.pause();
    const stopping = stop(LONG_MS);
    await sleep(50);
    socket.resume();
    await stopping;
    expect((await all).endsWith(long)).toBe(true);
  });

  it('cuts what is still in flight after its time', async () => {
    const { port, stop, arrived } = await start(() => undefined);
    const { all } = await open(port, GET);
    await arrived(1);
    const took = await timed(stop(200));
    expect(took).toBeGreaterThan(190);
    expect(took).toBeLessThan(5000);
    expect(await all).toBe('');
  });

  it('does not wait for answers that stand behind another on a connection that is gone', async () => {
    let seen = 0;
    const { port, stop, arrived } = await start((_request, response) => {
      if (++seen > 1) response.end('x');
    });
    const { socket, all } = await open(port, GET.repeat(5));
    await arrived(5);
    socket.destroy();
    await all;
    expect(await timed(stop(LONG_MS))).toBeLessThan(5000);
  });

  it('accepts nobody any more', async () => {
    const { port, stop, arrived } = await start(() => undefined);
    await open(port, GET);
    await arrived(1);
    const stopping = stop(200);
    await expect(open(port, GET)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await stopping;
  });

  it('asks a connection that it still answers to close', async () => {
    const answers: (() => void)[] = [];
    const { port, stop, arrived } = await start((_request, response) => {
      answers.push(() => response.end('x'));
    });
    const first = await open(port, GET);
    const second = await open(port, GET);
    await arrived(2);
    const stopping = stop(LONG_MS);
    answers[0]?.();
    await once(first.socket, 'data');
    first.socket.write(GET);
    await arrived(3);
    for (const answer of answers.slice(1)) answer();
    await stopping;
    const [, again] = (await first.all).split('HTTP/1.1 200 OK').slice(1);
    expect(again).toMatch(/^Connection: close/m);
    expect(await second.all).toMatch(/^HTTP\/1.1 200 OK/);
  });

  it('leaves the port free', async () => {
    const { port, stop } = await start((_request, response) => response.end('x'));
    await open(port, GET);
    await stop(LONG_MS);
    const again = await listen(
      createPlainServer(() => undefined),
      { ...LOOPBACK, port },
      'listen',
    );
    expect(again.address.port).toBe(port);
    await again.stop(0);
  });
});

describe('a port', () => {
  async function taken(): Promise<{ port: number; free: () => void }> {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    return { port: (other.address() as AddressInfo).port, free: () => other.close() };
  }

  const takers: [string, (port: number) => Promise<unknown>][] = [
    [
      'a listener',
      (port) =>
        listen(
          createPlainServer(() => undefined),
          { ...LOOPBACK, port },
          'admin',
        ),
    ],
    ['the look before it', (port) => probeListen({ ...LOOPBACK, port }, 'admin')],
  ];

  it.each(takers)('that is taken is an error of %s, with the way out', async (_title, take) => {
    const { port, free } = await taken();
    await expect(take(port)).rejects.toMatchObject({
      code: 'port-unavailable',
      problems: [
        {
          message: `admin: 127.0.0.1:${port} is in use by another process`,
          hint: 'choose another admin.host or admin.port in the config file, or stop what is there',
        },
      ],
    });
    free();
  });

  it('cannot be one of an address that is not of this machine', async () => {
    // 192.0.2.0/24 is for documentation: no machine has an address of it (RFC 5737).
    await expect(probeListen({ host: '192.0.2.1', port: 0 }, 'listen')).rejects.toMatchObject({
      code: 'port-unavailable',
      problems: [{ message: expect.stringMatching(/^cannot listen on listen: .*EADDRNOTAVAIL/) }],
    });
  });

  it('is free again after the look', async () => {
    const { port, free } = await taken();
    free();
    await probeListen({ ...LOOPBACK, port }, 'listen');
    const again = await listen(
      createPlainServer(() => undefined),
      { ...LOOPBACK, port },
      'listen',
    );
    await again.stop(0);
  });

  it('leaves later errors of its listener to whoever opened it', async () => {
    const { server } = await start(() => undefined);
    expect(server.listenerCount('error')).toBe(0);
  });
});
