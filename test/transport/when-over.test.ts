import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { whenOver } from '../../src/transport/when-over.ts';

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('the end of a response', () => {
  let end = (): void => undefined;
  afterEach(() => {
    end();
  });

  /** Counts begun and ended responses while requests are written at once on one connection. */
  async function count(answer: (nth: number, response: ServerResponse) => void, requests: number) {
    const seen = { begun: 0, ended: 0 };
    const server = createServer((request, response) => {
      seen.begun++;
      whenOver(request, response, () => seen.ended++);
      answer(seen.begun, response);
    });
    end = () => {
      server.closeAllConnections();
      server.close();
    };
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(GET.repeat(requests));
    await until(() => seen.begun === requests);
    return { seen, socket };
  }

  async function until(condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < 500 && !condition(); turn++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  it('is told once for each that is sent', async () => {
    const { seen, socket } = await count((_nth, response) => response.end('x'), 20);
    await until(() => seen.ended === 20);
    socket.destroy();
    await once(socket, 'close');
    expect(seen).toEqual({ begun: 20, ended: 20 });
  });

  it.each([
    ['closes the connection', false],
    ['resets the connection', true],
  ])('is told for the ones in the queue too when the client %s', async (_title, reset) => {
    const { seen, socket } = await count((nth, response) => {
      // All but the first are done, and wait for it to be done.
      if (nth > 1) response.end('x');
    }, 30);
    expect(seen).toEqual({ begun: 30, ended: 0 });
    if (reset) socket.resetAndDestroy();
    else socket.destroy();
    await until(() => seen.ended === 30);
    expect(seen).toEqual({ begun: 30, ended: 30 });
  });
});
