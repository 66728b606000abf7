import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Agent } from 'node:https';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../e2e/eventually.ts';
import { newTestPki } from '../support/certificates.ts';
import { ask, connectHttp2, askOn, reviewOf } from '../support/requests.ts';
import { allReloaded, newPlace, start } from './service-process.ts';
import type { Place, ServiceProcess } from './service-process.ts';

/** Node itself has some twenty open. */
const DESCRIPTORS = 64;

describe('without a file descriptor left', () => {
  let place: Place;
  let service: ServiceProcess;
  const agent = new Agent({ keepAlive: true });
  const idle: Socket[] = [];
  beforeAll(async () => {
    place = await newPlace(await newTestPki());
    service = await start(place);
    // Later than its start, which opens many files at a time.
    execFileSync('prlimit', [`--pid=${service.pid}`, `--nofile=${DESCRIPTORS}`]);
  });
  afterAll(async () => {
    for (const socket of idle) socket.destroy();
    agent.destroy();
    await service.stop();
    await place.remove();
  });

  it('answers on the connections that are open, and takes new ones and new rules later', async () => {
    const session = connectHttp2(place.caller);
    const verdicts = async (): Promise<unknown[]> => {
      const answers = await Promise.all(
        ['docker.io/nginx', 'evil.example/x'].flatMap((image) => [
          ask(place.caller, { agent, body: reviewOf([image]) }),
          askOn(session, { body: reviewOf([image]) }),
        ]),
      );
      return answers.map(({ text }) => (JSON.parse(text) as Answered).status.allowed);
    };
    const right = [true, true, false, false];
    expect(await verdicts()).toEqual(right);
    await occupy(place.port, 2 * DESCRIPTORS, idle);
    expect(await verdicts()).toEqual(right);

    const text = await readFile(place.config.rules, 'utf8');
    await writeFile(place.config.rules, text.replace('[docker.io]', '[docker.io, quay.example]'));
    await eventually('a reload that failed', () => {
      return service.logged('rules: not reloaded, the old state stays in force')[0];
    });
    expect(await verdicts()).toEqual(right);

    for (const socket of idle.splice(0)) socket.destroy();
    await allReloaded(place);
    await eventually('the new rules', () => service.logged('rules reloaded')[0]);
    expect(await verdicts()).toEqual(right);
    const { text: answer } = await ask(place.caller, { body: reviewOf(['quay.example/x']) });
    expect((JSON.parse(answer) as Answered).status.allowed).toBe(true);
    session.destroy();
  });
});

interface Answered {
  readonly status: { readonly allowed: boolean };
}

/** Opens connections that say nothing; how many the service takes is its business. */
async function occupy(port: number, count: number, sockets: Socket[]): Promise<void> {
  for (let opened = 0; opened < count; opened++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    sockets.push(socket);
  }
}
