import { readFile, utimes } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { loadConfig } from '../../src/config/load-config.ts';
import type { CheckId, Finding } from '../../src/doctor/finding.ts';
import type { DoctorTimes } from '../../src/doctor/options.ts';
import { systemDoctorPorts } from '../../src/doctor/system-ports.ts';
import { startService } from '../../src/service.ts';
import { removePlace } from '../setup/support.ts';
import { memoryLog } from '../support/service.ts';
import { CA, filesOf, make, NAMES, replaceLeaf, SERVER } from './openssl.ts';
import { edit, examineNode, faultsOf, newNode } from './place.ts';
import type { Node } from './place.ts';

let node: Node;
let ends: (() => Promise<unknown>)[];

beforeEach(async () => {
  node = await newNode();
  ends = [];
});

afterEach(async () => {
  for (const end of ends) await end();
  await removePlace(node);
});

/** Both sides are told the port that somebody has come to listen at. */
async function toldPort(port: number): Promise<void> {
  await edit(join(node.dir, 'kubeconf'), ':1234', `:${port}`);
  await edit(join(node.serviceDir, 'config.yaml'), '1234', String(port));
}

function listen(server: Server): Promise<number> {
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Says something, and nothing more. */
function tcpServer(greeting: string): Server {
  return createTcpServer((socket) => {
    socket.on('error', () => undefined).resume();
    if (greeting !== '') socket.end(greeting);
  });
}

interface StandIn extends ServerOptions {
  /** Anybody is answered, who shows no certificate too. */
  readonly anybody?: true;
  readonly answer?: (response: ServerResponse, body: string) => void;
}

const VERDICT = { apiVersion: 'imagepolicy.k8s.io/v1alpha1', kind: 'ImageReview' };

function allow(response: ServerResponse): void {
  response.end(JSON.stringify({ ...VERDICT, status: { allowed: true } }));
}

/** Somebody else who listens where the service should. */
async function standIn({ answer = allow, anybody, ...tls }: StandIn = {}): Promise<void> {
  const [certificate, key] = filesOf(node, 'server');
  const options = {
    cert: await readFile(certificate),
    key: await readFile(key),
    requestCert: true,
    rejectUnauthorized: false,
    ...tls,
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const shown = (request.socket as TLSSocket).getPeerX509Certificate();
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      if (shown === undefined && anybody !== true) response.writeHead(403).end();
      else answer(response, body);
    });
  };
  await toldPort(await listen(createServer(options, handle)));
}

/** Made by another CA than the node's. */
async function foreignPair(): Promise<ServerOptions> {
  const issuer = { certificate: join(node.root, 'o.pem'), key: join(node.root, 'o.key') };
  make(issuer.certificate, issuer.key, { name: 'other', extensions: CA });
  const pair = [join(node.root, 'f.pem'), join(node.root, 'f.key')] as const;
  make(...pair, { issuer, extensions: SERVER });
  return { cert: await readFile(pair[0]), key: await readFile(pair[1]) };
}

/** The admin listener of a service. */
async function admin(metrics: string): Promise<void> {
  await standIn();
  const server = createHttpServer((request, response) => {
    response.writeHead(request.url === '/metrics' ? 200 : 404).end(metrics);
  });
  await edit(
    join(node.serviceDir, 'config.yaml'),
    /(?<=admin:[^]*?port: )\d+/,
    String(await listen(server)),
  );
}

function examine(times: Partial<DoctorTimes> = {}): Promise<readonly Finding[]> {
  const ports = { times: { ...systemDoctorPorts().times, connect: 2000, ...times } };
  return examineNode(node, { live: true }, ports);
}

describe('the doctor asks the service', () => {
  it('and finds nothing wrong with one that runs', async () => {
    const config = await loadConfig(join(node.serviceDir, 'config.yaml'));
    const anyPort = { host: '127.0.0.1', port: 0 };
    const service = await startService(
      { ...config, listen: anyPort, admin: anyPort },
      memoryLog(),
      Date.now,
      new Registry(),
    );
    ends.push(() => service.stop());
    await toldPort(service.port);
    const findings = await examine();
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    const live = findings.filter(({ group }) => group === 'live').map(({ id }) => id);
    expect(live).toEqual([
      ...['live-name', 'live-tcp', 'live-tls', 'live-certificate', 'live-tls-old'],
      ...['live-anonymous', 'live-client', 'live-time', 'live-clock', 'live-answer'],
      'live-kube-system',
    ]);
  });

  it.each<[title: string, seconds: number, status: string]>([
    ['and warns of a config that was changed since it started', 60, 'warn'],
    ['and finds that it has read its config', -60, 'ok'],
    ['and takes the second of its start for no change', 0, 'ok'],
  ])('%s', async (_title, seconds, status) => {
    const began = Math.round(Date.now() / 1000);
    await admin(`image_checker_build_info{version="1"} 1\nprocess_start_time_seconds ${began}\n`);
    const file = join(node.serviceDir, 'config.yaml');
    await utimes(file, began + seconds, began + seconds);
    const found = (await examine()).filter(({ id }) => id === 'live-config');
    expect(found).toMatchObject([{ status, file }]);
    expect(found[0]?.fix ?? '').toMatch(seconds > 0 ? /systemctl restart image-checker/ : /^$/);
  });

  it.each([
    ['somebody else', 'process_start_time_seconds 1\n'],
    ['a service that does not say it', 'image_checker_build_info{version="1"} 1\n'],
  ])('and says nothing about the config of %s', async (_title, metrics) => {
    await admin(metrics);
    expect((await examine()).filter(({ id }) => id === 'live-config')).toEqual([]);
  });

  it('or nobody, when it is told so', async () => {
    const findings = await examineNode(node, { live: false });
    expect(findings.filter(({ group }) => group === 'live')).toEqual([]);
  });

  it.each<[title: string, id: CheckId, breakIt: () => unknown, times?: Partial<DoctorTimes>]>([
    [
      'nobody listens',
      'live-tcp',
      async () => {
        const server = createTcpServer();
        const port = await listen(server);
        await new Promise((resolve) => server.close(resolve));
        ends.pop();
        await toldPort(port);
      },
    ],
    [
      'the name of the service is known to nobody',
      'live-name',
      () =>
        edit(
          join(node.dir, 'kubeconf'),
          /server: \S+/,
          'server: https://policy.image-checker.svc.invalid:1234/check-image\n      tls-server-name: localhost',
        ),
    ],
    [
      'who listens speaks no TLS',
      'live-tls',
      async () => {
        await toldPort(await listen(tcpServer('220 mail\r\n')));
      },
    ],
    [
      'who listens says nothing at all',
      'live-tls',
      async () => {
        await toldPort(await listen(tcpServer('')));
      },
      { connect: 200 },
    ],
    [
      'its certificate is by another CA',
      'live-certificate',
      async () => {
        await standIn(await foreignPair());
      },
    ],
    [
      'its certificate is for another name',
      'live-certificate',
      async () => {
        const old = await readFile(filesOf(node, 'server')[0]);
        const key = await readFile(filesOf(node, 'server')[1]);
        replaceLeaf(node, 'server', { extensions: [`${NAMES},DNS:policy`] });
        await standIn({ cert: old, key });
      },
    ],
    ['it takes TLS 1.1', 'live-tls-old', () => standIn(OLD)],
    ['it answers whoever asks', 'live-anonymous', () => standIn({ anybody: true })],
    [
      'it refuses the client by a status',
      'live-client',
      () => standIn({ answer: (response) => response.writeHead(403).end() }),
    ],
    [
      'it hangs up on the client',
      'live-client',
      () => standIn({ answer: (response) => response.destroy() }),
    ],
    [
      'it never answers the client',
      'live-client',
      () => standIn({ answer: () => undefined }),
      { answer: 300 },
    ],
    [
      'it answers with a page',
      'live-answer',
      () => standIn({ answer: (response) => response.end('<html>') }),
    ],
    [
      'it answers with an error',
      'live-answer',
      () => standIn({ answer: (response) => response.writeHead(500).end('{}') }),
    ],
    [
      'it answers with another kind',
      'live-answer',
      () => standIn({ answer: (response) => response.end('{"kind":"TokenReview","status":{}}') }),
    ],
    [
      'it denies what kube-system runs',
      'live-kube-system',
      () =>
        standIn({
          answer: (response, body) => {
            const allowed = !body.includes('coredns');
            response.end(JSON.stringify({ ...VERDICT, status: { allowed, reason: 'no' } }));
          },
        }),
    ],
    ['it takes its time', 'live-time', () => standIn(), { slow: -1 }],
    [
      'its clock is wrong',
      'live-clock',
      () =>
        standIn({
          answer: (response) => {
            response.setHeader('date', new Date(Date.now() - 7_200_000).toUTCString());
            allow(response);
          },
        }),
    ],
  ])('and finds that %s: %s', async (_title, id, ...[breakIt, times]) => {
    await breakIt();
    expect(faultsOf(await examine(times))).toEqual([id]);
  });
});

const OLD = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
