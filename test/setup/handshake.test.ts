import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { issueLeaf, makeAuthority } from '../../src/setup/pki.ts';
import type { Credential, PkiPorts } from '../../src/setup/pki.ts';
import { systemPkiPorts } from '../../src/setup/system-pki-ports.ts';
import { systemCode } from '../../src/errors.ts';
import { newKeyPair } from './support.ts';

const HOSTS = [
  { type: 'dns', value: 'external-service' },
  { type: 'ip', value: '127.0.0.1' },
] as const;

const ports: PkiPorts = {
  ...systemPkiPorts,
  generateKeyPair: () => Promise.resolve(newKeyPair(2048)),
};
const lastYear = new Date(Date.now() - 400 * 24 * 60 * 60 * 1000);

interface Run {
  readonly ca: Credential;
  readonly server: Credential;
  readonly client: Credential;
}

async function newRun(): Promise<Run> {
  const ca = await makeAuthority({ ...ports, now: () => lastYear });
  const server = await issueLeaf(ca, { kind: 'server', hosts: HOSTS }, ports);
  return { ca, server, client: await issueLeaf(ca, { kind: 'client', name: 'api-server' }, ports) };
}

interface Server {
  readonly leaf: Credential;
  readonly clientCa: Credential;
}

interface Client {
  readonly leaf?: Credential;
  readonly serverCa: Credential;
  readonly name?: string;
}

/** The client's name as the server verified it, or what either side has against the other. */
async function shakeHands(server: Server, client: Client): Promise<string> {
  const service = createServer({
    cert: server.leaf.certificate,
    key: server.leaf.key,
    ca: server.clientCa.certificate,
    requestCert: true,
    rejectUnauthorized: false, // so that the reason can be told
  });
  service.on('request', (received, response) => {
    const socket = received.socket as TLSSocket;
    if (socket.authorized) response.end(String(socket.getPeerCertificate().subject.CN));
    else response.end(String(socket.authorizationError));
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  try {
    return await ask((service.address() as AddressInfo).port, client);
  } catch (thrown) {
    return systemCode(thrown);
  } finally {
    service.closeAllConnections();
    service.close();
  }
}

function ask(port: number, client: Client): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      agent: false,
      ca: client.serverCa.certificate,
      ...(client.leaf && { cert: client.leaf.certificate, key: client.leaf.key }),
      ...(client.name !== undefined && { servername: client.name }),
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      response.setEncoding('utf8').on('data', resolve).on('error', reject);
    });
    asked.end();
  });
}

describe('a mutual TLS handshake', () => {
  const runs: Run[] = [];
  const run = (index: number): Run => {
    const found = runs[index];
    if (found === undefined) throw new Error('expected two runs');
    return found;
  };
  let expired: Credential;

  beforeAll(async () => {
    runs.push(await newRun(), await newRun());
    const old = { ...ports, now: () => lastYear };
    expired = await issueLeaf(run(0).ca, { kind: 'client', name: 'api-server' }, old);
  });

  afterAll(() => {
    runs.length = 0;
  });

  it.each([
    ['by address', undefined],
    ['by name', 'external-service'],
  ])('succeeds %s with the certificates of one run', async (_title, name) => {
    const { ca, server, client } = run(0);
    const asking = { leaf: client, serverCa: ca, ...(name === undefined ? {} : { name }) };
    expect(await shakeHands({ leaf: server, clientCa: ca }, asking)).toBe('api-server');
  });

  const refusals: [string, () => Promise<string>, string][] = [
    [
      'the client holds the CA of another run',
      () => shake({ serverCa: run(1).ca }),
      'SELF_SIGNED_CERT_IN_CHAIN',
    ],
    [
      'the client comes from another run',
      () => shake({ leaf: run(1).client }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    [
      'the client shows the certificate of the server',
      () => shake({ leaf: run(0).server }),
      'INVALID_PURPOSE',
    ],
    ['the client shows the CA itself', () => shake({ leaf: run(0).ca }), 'INVALID_PURPOSE'],
    ['the client shows an expired certificate', () => shake({ leaf: expired }), 'CERT_HAS_EXPIRED'],
    ['the client shows no certificate', () => anonymous(), 'UNABLE_TO_GET_ISSUER_CERT'],
    [
      'the server shows the certificate of the client',
      () => shakeHands(serverOf(run(0), run(0).client), { serverCa: run(0).ca }),
      'INVALID_PURPOSE',
    ],
    [
      'the server is asked by a name that it does not have',
      () => shake({ name: 'other.example.com' }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ];

  function serverOf({ ca, server }: Run, leaf = server): Server {
    return { leaf, clientCa: ca };
  }

  function shake(client: Partial<Client>): Promise<string> {
    return shakeHands(serverOf(run(0)), { leaf: run(0).client, serverCa: run(0).ca, ...client });
  }

  function anonymous(): Promise<string> {
    return shakeHands(serverOf(run(0)), { serverCa: run(0).ca });
  }

  it.each(refusals)('fails when %s', async (_title, attempt, code) => {
    expect(await attempt()).toBe(code);
  });
});
