import { once } from 'node:events';
import { connect } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { headOf, openConnection, readAll, reviewOf } from '../support/requests.ts';
import { startTestService } from '../support/service.ts';
import type { TestService } from '../support/service.ts';

let pki: TestPki;
let service: TestService;
let modern: TestService;

beforeAll(async () => {
  pki = await newTestPki();
  service = await startTestService(pki);
  modern = await startTestService(pki, { tls: { minVersion: 'TLSv1.3' } });
});

afterAll(async () => {
  await service.end();
  await modern.end();
});

/** Version and cipher that the two sides agreed on, or what the service had against it. */
async function shakeHands(to: TestService, options: ConnectionOptions): Promise<string> {
  try {
    const socket = await openConnection(to.as(pki.client), options);
    const agreed = `${String(socket.getProtocol())} ${socket.getCipher().name}`;
    socket.destroy();
    return agreed;
  } catch (thrown) {
    // OpenSSL 3.5 (Node 22 and 24 have it) names the alert by another protocol.
    return String((thrown as { code: unknown }).code).replace('SSL/TLS_', 'SSLV3_');
  }
}

const only = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): ConnectionOptions => ({
  minVersion: version,
  maxVersion: version,
  // So that it is the service that refuses what is old, not the library on this side.
  ciphers: 'DEFAULT:@SECLEVEL=0',
});
const cipher = (ciphers: string): ConnectionOptions => ({ ...only('TLSv1.2'), ciphers });

const OLD = 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION';
const NO_CIPHER = 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE';

describe('a handshake', () => {
  const cases: [string, () => TestService, ConnectionOptions, string][] = [
    ['TLS 1.1 is refused', () => service, only('TLSv1.1'), OLD],
    ['TLS 1.2 is accepted', () => service, only('TLSv1.2'), 'TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256'],
    ['TLS 1.3 is accepted', () => service, only('TLSv1.3'), 'TLSv1.3 TLS_AES_128_GCM_SHA256'],
    ['TLS 1.3 is what the two agree on', () => service, {}, 'TLSv1.3 TLS_AES_128_GCM_SHA256'],
    ['minVersion TLSv1.3 refuses TLS 1.1', () => modern, only('TLSv1.1'), OLD],
    ['minVersion TLSv1.3 refuses TLS 1.2', () => modern, only('TLSv1.2'), OLD],
    [
      'minVersion TLSv1.3 accepts TLS 1.3',
      () => modern,
      only('TLSv1.3'),
      'TLSv1.3 TLS_AES_128_GCM_SHA256',
    ],
    ...[
      ['without forward secrecy', 'AES128-GCM-SHA256'],
      ['in CBC mode', 'ECDHE-RSA-AES128-SHA256'],
      ['with SHA-1', 'ECDHE-RSA-AES128-SHA'],
      ['without a server certificate', 'AECDH-AES128-SHA:ADH-AES128-GCM-SHA256:@SECLEVEL=0'],
      ['without encryption', 'ECDHE-RSA-NULL-SHA:NULL-SHA256:@SECLEVEL=0'],
      ['with a finite field', 'DHE-RSA-AES128-GCM-SHA256'],
    ].map(([how = '', name = '']): [string, () => TestService, ConnectionOptions, string] => [
      `a cipher ${how} is refused`,
      () => service,
      cipher(name),
      NO_CIPHER,
    ]),
    ...['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-CHACHA20-POLY1305'].map(
      (name): [string, () => TestService, ConnectionOptions, string] => [
        `${name} is accepted`,
        () => service,
        cipher(name),
        `TLSv1.2 ${name}`,
      ],
    ),
  ];

  it.each(cases)('%s', async (_title, to, options, expected) => {
    expect(await shakeHands(to(), options)).toBe(expected);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('never resumes a session of %s', async (version) => {
    const sessions: Buffer[] = [];
    const first = await openConnection(service.as(pki.client), only(version));
    first.on('session', (session) => sessions.push(session));
    const atOnce = first.getSession();
    await askOnce(first);
    const kept = [...sessions, atOnce].filter((session) => session !== undefined);
    expect(kept).not.toEqual([]);
    for (const session of kept) {
      const second = await openConnection(service.as(pki.client), { ...only(version), session });
      expect(second.isSessionReused()).toBe(false);
      expect(await askOnce(second)).toMatch(/^HTTP\/1.1 200 /);
    }
  });

  it('lets nobody in by the session of a client that was let in', async () => {
    const first = await openConnection(service.as(pki.client), only('TLSv1.2'));
    const session = first.getSession();
    await askOnce(first);
    const second = openConnection(service.as(), {
      ...only('TLSv1.2'),
      ...(session && { session }),
    });
    await expect(second).rejects.toThrow(/handshake failure/);
  });

  it('is not done again on an open connection', async () => {
    const socket = await openConnection(service.as(pki.client), only('TLSv1.2'));
    const outcome = await new Promise((resolve) => {
      socket.once('close', () => {
        resolve('closed');
      });
      socket.renegotiate({}, (error) => {
        resolve(error === null ? 'renegotiated' : 'refused');
      });
    });
    expect(outcome).not.toBe('renegotiated');
    socket.destroy();
  });

  it.each([
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.1', 'h2'], 'h2'],
    [['spdy/3', 'http/1.1'], 'http/1.1'],
  ])('of a client that offers %j agrees on %s', async (ALPNProtocols, agreed) => {
    const socket = await openConnection(service.as(pki.client), { ALPNProtocols });
    expect(socket.alpnProtocol).toBe(agreed);
    socket.destroy();
  });

  it('of a client that offers only what nobody knows fails', async () => {
    const offer = { ALPNProtocols: ['spdy/3', 'h2c'] };
    expect(await shakeHands(service, offer)).toMatch(/ALERT_NO_APPLICATION_PROTOCOL|ECONNRESET/);
  });
});

/** Asks on an open connection, and closes it; what came. */
async function askOnce(socket: TLSSocket): Promise<string> {
  const body = reviewOf(['docker.io/nginx']);
  const all = readAll(socket);
  socket.write(headOf(Buffer.byteLength(body)).replace('Host', 'Connection: close\r\nHost') + body);
  return all;
}

describe('what comes over the port without TLS', () => {
  const HELLO = Buffer.from('16030100a5010000a10303', 'hex');
  const cases: [string, string | Uint8Array][] = [
    ['plain http', headOf(2) + '{}'],
    ['HTTP/2 over plain text', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['noise', Buffer.alloc(4096, 0xa5)],
    ['the beginning of a handshake, and then noise', Buffer.concat([HELLO, Buffer.alloc(300, 7)])],
  ];

  it.each(cases)('is not answered: %s', async (_title, bytes) => {
    const socket = connect(service.port, '127.0.0.1');
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part)).on('error', () => undefined);
    socket.write(bytes);
    await once(socket, 'close');
    // Nothing, or a TLS alert: a record of type 21.
    const got = Buffer.concat(parts);
    expect(got.length === 0 || got[0] === 21).toBe(true);
    expect(got.length).toBeLessThan(16);
    expect((await service.ask()).status).toBe(200);
  });

  it.each([
    ['at once', ''],
    ['in the middle of its first message', HELLO],
  ])('costs the service nothing when the connection is reset %s', async (_title, bytes) => {
    for (let count = 0; count < 50; count++) {
      const socket = connect(service.port, '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(bytes);
      socket.resetAndDestroy();
    }
    expect((await service.ask()).status).toBe(200);
  });

  it('leaves at most one line a second in the log', async () => {
    await sleep(1100);
    const before = service.logged('TLS handshake refused').length;
    const started = Date.now();
    for (let count = 0; count < 20; count++) {
      const socket = connect(service.port, '127.0.0.1').on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\n\r\n');
      await once(socket, 'close');
    }
    const lines = service.logged('TLS handshake refused').slice(before);
    expect(lines[0]).toMatchObject({ cause: 'http request', address: '127.0.0.1' });
    expect(lines.length).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - started) / 1000));
  });
});
