import { once } from 'node:events';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import supertest from 'supertest';
import type { Config } from '../src/config/schema.ts';
import { ImageCheckerError } from '../src/errors.ts';
import { startService } from '../src/service.ts';
import { DAY_MS, issueOdd, newKeyPair, newTestPki } from './support/certificates.ts';
import type { TestPki } from './support/certificates.ts';
import { headOf, openConnection, outcome, readAll, reviewOf } from './support/requests.ts';
import { memoryLog, newServiceFolder, RULES, startTestService } from './support/service.ts';
import type { ServiceFolder, TestService } from './support/service.ts';

const BODY = reviewOf(['docker.io/nginx']);
const HEAD = headOf(Buffer.byteLength(BODY));

let pki: TestPki;

beforeAll(async () => {
  pki = await newTestPki();
});

/** supertest says that it is `any`. */
const bodyOf = async (asked: PromiseLike<{ body: unknown }>): Promise<unknown> =>
  (await asked).body;
const admin = ({ adminPort }: TestService) => supertest(`http://127.0.0.1:${adminPort}`);

describe('the admin listener', () => {
  let service: TestService;
  let now = Date.now();

  beforeAll(async () => {
    service = await startTestService(pki, { clock: () => now });
  });
  afterEach(() => {
    now = Date.now();
  });
  afterAll(async () => {
    await service.end();
  });

  it('says that the process is up', async () => {
    await admin(service).get('/healthz').expect(200, { status: 'ok' });
    now += 10 * 365 * DAY_MS;
    await admin(service).get('/healthz').expect(200, { status: 'ok' });
  });

  it('says that the service is ready, and by which rules', async () => {
    const body = await bodyOf(admin(service).get('/readyz').expect(200));
    expect(body).toEqual({
      ready: true,
      reasons: [],
      policy: expect.stringMatching(/^test-policy@[0-9a-f]+$/),
      failedReloads: [],
    });
  });

  it.each([
    ['has expired', 400 * DAY_MS, /^the certificate expired on \d{4}-\d\d-\d\dT/],
    ['is not yet valid', -DAY_MS, /^the certificate is not valid before \d{4}-\d\d-\d\dT/],
  ])('says that it is not when its certificate %s', async (_title, skew, reason) => {
    now += skew;
    const body = await bodyOf(admin(service).get('/readyz').expect(503));
    expect(body).toMatchObject({ ready: false, reasons: [expect.stringMatching(reason)] });
  });

  it.each([
    ['get', '/'],
    ['get', '/check-image'],
    ['post', '/check-image'],
    ['post', '/healthz'],
    ['get', '/%'],
    ['get', '/healthz/../x'],
    ['get', '/__proto__'],
  ] as const)('knows nothing else: %s %s', async (method, path) => {
    const response = await admin(service)[method](path).expect(404);
    expect(response.body).toEqual({ error: 'expected GET /healthz, GET /readyz or GET /metrics' });
    expect(response.headers).not.toHaveProperty('x-powered-by');
    expect(response.headers).toHaveProperty('x-content-type-options', 'nosniff');
  });

  it('is not the listener for reviews, nor the other way round', async () => {
    expect(await outcome({ ...service.as(pki.client), port: service.adminPort })).toBe('no answer');
    expect(await outcome(service.as(pki.client), { method: 'GET', path: '/readyz' })).toBe(404);
    expect(await outcome(service.as(), { method: 'GET', path: '/healthz' })).toBe('no answer');
  });
});

describe('a service that stops', () => {
  it('does not wait for connections that are idle, and closes both ports', async () => {
    const service = await startTestService(pki);
    const agent = new Agent({ keepAlive: true });
    expect((await service.ask({ agent })).status).toBe(200);
    const silent = await openConnection(service.as(pki.client));
    const started = performance.now();
    await service.end();
    expect(performance.now() - started).toBeLessThan(5000);
    agent.destroy();
    silent.destroy();
    expect(await outcome(service.as(pki.client))).toBe('no answer');
    await expect(admin(service).get('/healthz')).rejects.toThrow(/ECONNREFUSED/);
  });

  it('answers a review whose body is still arriving, and says meanwhile that it stops', async () => {
    const service = await startTestService(pki);
    const socket = await openConnection(service.as(pki.client));
    const all = readAll(socket);
    socket.write(HEAD + BODY.slice(0, 20));
    await sleep(200); // nothing tells from outside that the head has arrived
    const stopping = service.end();
    const body = await bodyOf(admin(service).get('/readyz').expect(503));
    expect(body).toMatchObject({ ready: false, reasons: ['the service is stopping'] });
    await admin(service).get('/healthz').expect(200);
    expect(await outcome(service.as(pki.client))).toBe('no answer');
    socket.write(BODY.slice(20));
    await stopping;
    expect(await all).toMatch(/^HTTP\/1.1 200 OK.*"allowed":true/s);
    expect(service.logged('image review decided')).toHaveLength(1);
  });

  it('lets an answer be read that is longer than the system takes at once', async () => {
    const service = await startTestService(pki, { limits: { bodyBytes: 32 * 1024 * 1024 } });
    const body = reviewOf(['docker.io/nginx'], { filler: 'x'.repeat(20_000_000) });
    const socket = await openConnection(service.as(pki.client));
    socket.write(headOf(Buffer.byteLength(body)) + body);
    await once(socket, 'readable');
    expect(service.logged('image review decided')).toHaveLength(1);
    const stopping = service.end();
    await sleep(50);
    const all = await readAll(socket);
    await stopping;
    expect(all.length).toBeGreaterThan(20_000_000);
    expect(all).toMatch(/"allowed":true.*\}$/);
  });
});

describe('a service that cannot start', () => {
  let place: ServiceFolder;

  const others: Server[] = [];

  afterEach(async () => {
    for (const other of others.splice(0)) other.close();
    await place.remove();
  });

  /** `key: message` of everything that keeps it from starting. */
  async function refusal(config: Config, now = Date.now()): Promise<string[]> {
    const log = memoryLog();
    const thrown: unknown = await startService(config, log, () => now, new Registry()).catch(
      (e: unknown) => e,
    );
    expect(thrown).toBeInstanceOf(ImageCheckerError);
    expect(log.lines).toEqual([]);
    const { problems } = thrown as ImageCheckerError;
    return problems
      .map(({ file = '', line, message }) => {
        const name = file.slice(place.folder.length + 1);
        return [name, line, message].filter((part) => part !== '' && part !== undefined).join(': ');
      })
      .sort();
  }

  /** A port of another process, as it were. */
  async function takenPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    others.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  it('tells of a file for registries that is not there', async () => {
    place = await newServiceFolder(pki);
    const { config, folder } = place;
    const credentials = [`${folder}/absent.json`];
    const found = await refusal({ ...config, registries: { ...config.registries, credentials } });
    expect(found).toEqual(['absent.json: cannot be read: no such file']);
  });

  it('tells everything at once: both ports, key, certificate, client CA and rules', async () => {
    place = await newServiceFolder(pki);
    const { config } = place;
    const [one, other] = [await takenPort(), await takenPort()];
    const expired = issueOdd(pki.authority, { until: new Date(Date.now() - 1000) });
    await writeFile(config.tls.certificate, expired.certificate);
    await chmod(config.tls.key, 0o604);
    await writeFile(config.tls.clientCA, 'hush');
    await writeFile(
      config.rules,
      RULES.replace('registries:', 'registry:').replace('not trusted image!', '[]'),
    );
    const found = await refusal({
      ...config,
      listen: { host: '127.0.0.1', port: one },
      admin: { host: '127.0.0.1', port: other },
    });
    expect(found).toEqual([
      `admin: 127.0.0.1:${other} is in use by another process`,
      expect.stringMatching(/^client-ca.pem: expected a PEM certificate, found none$/),
      `listen: 127.0.0.1:${one} is in use by another process`,
      expect.stringMatching(/^rules.yaml: 7: /),
      expect.stringMatching(/^rules.yaml: 8: /),
      expect.stringMatching(/^server-cert.pem: the certificate expired on /),
      'server-key.pem: expected a private key with mode 0600, got 0604',
    ]);
  });

  it('tells everything at once: files that are not there', async () => {
    place = await newServiceFolder(pki);
    const { config } = place;
    const { certificate, key, clientCA } = config.tls;
    await Promise.all([certificate, key, clientCA, config.rules].map((file) => rm(file)));
    expect(await refusal(config)).toEqual([
      'client-ca.pem: cannot be read: no such file',
      'rules.yaml: cannot be read: no such file',
      'server-cert.pem: cannot be read: no such file',
      'server-key.pem: cannot be read: no such file',
    ]);
  });

  const single: [string, (config: Config) => Promise<unknown>, RegExp][] = [
    [
      'the key of another certificate',
      ({ tls }) => writeFile(tls.key, newKeyPair().privateKey),
      /^server-key.pem: the private key does not belong to the certificate /,
    ],
    [
      'a client CA that is none',
      ({ tls }) => writeFile(tls.clientCA, pki.client.certificate),
      /^client-ca.pem: expected CA certificates, got CN=api-server, which is none$/,
    ],
    ['empty rules', ({ rules }) => writeFile(rules, ''), /^rules.yaml: 1: /],
    [
      'rules that are no YAML',
      ({ rules }) => writeFile(rules, 'a: [\n'),
      /^rules.yaml: \d+: not YAML/,
    ],
    [
      'rules with a key twice',
      ({ rules }) => writeFile(rules, `${RULES}kind: ImagePolicy\n`),
      /^rules.yaml: 9: expected each key once/,
    ],
  ];

  it.each(single)('does not with %s', async (_title, breakIt, message) => {
    place = await newServiceFolder(pki);
    await breakIt(place.config);
    expect(await refusal(place.config)).toEqual([expect.stringMatching(message)]);
  });

  it('does not with a certificate that is not yet valid', async () => {
    place = await newServiceFolder(pki);
    expect(await refusal(place.config, Date.now() - DAY_MS)).toEqual([
      expect.stringMatching(/^client-ca.pem: the certificate is not valid before /),
      expect.stringMatching(/^server-cert.pem: the certificate is not valid before /),
    ]);
  });

  it('leaves nothing open when the second listener fails after the first is open', async () => {
    place = await newServiceFolder(pki);
    const port = await takenPort();
    others.pop()?.close();
    // The same address in another spelling, which takes the system longer to read: each of the
    // two is free while the other is not open yet.
    const config = {
      ...place.config,
      listen: { host: '127.0.0.1', port },
      admin: { host: '127.1', port },
    };
    expect(await refusal(config)).toEqual([
      expect.stringMatching(/^admin: 127.1:\d+ is in use by another process$/),
    ]);
    const service = await startService(
      { ...config, admin: place.config.admin },
      memoryLog(),
      Date.now,
      new Registry(),
    );
    expect(service.port).toBe(port);
    await service.stop();
  });
});
