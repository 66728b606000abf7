import { gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ImageCheckerError } from '../../src/errors.ts';
import { ByteBudget } from '../../src/registry/byte-budget.ts';
import { Courier } from '../../src/registry/courier.ts';
import { endpointOf } from '../../src/registry/endpoint.ts';
import { HostPool } from '../../src/registry/host-pool.ts';
import type { Registry, Repository } from '../../src/registry/registry.ts';
import { dockerConfig, newRegistryWorld, send, sha256 } from '../support/registry-server.ts';
import type { Answerer, RegistryWorld } from '../support/registry-server.ts';

/*
 * What a registry, or whoever stands before it, may do to a review, over real TLS. Each ends by
 * itself or by the deadline, and says what it was.
 */

const BYTES = Buffer.from('{"schemaVersion":2}');
const DIGEST = sha256(BYTES);
/** Milliseconds: what no answer takes, on a machine that is busy. */
const PLENTY = 20_000;
/** Milliseconds: a review that ends with it, though a busy machine takes seconds to connect. */
const DEADLINE = 4000;
const MIB = 1024 * 1024;
const BOMB = gzipSync(Buffer.alloc(64 * MIB));

let world: RegistryWorld;
beforeAll(async () => {
  world = await newRegistryWorld();
});
afterAll(() => world.close());

type Ask = (registry: Registry, app: Repository, signal: AbortSignal) => Promise<unknown>;
const byTag: Ask = (registry, app, signal) => registry.manifest(app, 'v1', signal);
const byDigest: Ask = (registry, app, signal) => registry.manifest(app, DIGEST, signal);
const blob: Ask = (registry, app, signal) =>
  registry.blob(app, { digest: DIGEST, size: BYTES.length }, signal);
const referrers: Ask = (registry, app, signal) => registry.referrers(app, DIGEST, signal);

async function refusal(
  answer: Answerer,
  ask: Ask,
  deadline = PLENTY,
): Promise<{ code: string; message: string; requests: readonly string[] }> {
  const server = await world.serve(answer);
  const file = await world.file('docker.json', dockerConfig(server.host, 'puller', 'hunter2'));
  const registry = world.client({ hosts: world.trust(server), credentials: [file] });
  const app = { registry: server.host, repository: 'team/app' };
  const thrown: unknown = await ask(registry, app, AbortSignal.timeout(deadline)).catch(
    (error: unknown) => error,
  );
  const { code, message } = thrown as ImageCheckerError;
  expect(message).not.toContain('hunter2');
  return { code, message, requests: server.requests };
}

/** Writes until the other side has gone; tells how much the system took. */
function endless(response: ServerResponse, chunk: Buffer): { readonly bytes: () => number } {
  let bytes = 0;
  const write = (): void => {
    while (!response.destroyed) {
      bytes += chunk.length;
      if (!response.write(chunk)) break;
    }
  };
  response.on('drain', write).on('error', () => undefined);
  write();
  return { bytes: () => bytes };
}

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answerer =>
  (_request, response) => {
    send(response, code, body, headers);
  };

describe('an answer that contradicts itself', () => {
  const tampered: Answerer = (_request, response) => {
    send(response, 200, '{"schemaVersion":3}');
  };
  it.each<[string, Answerer, Ask, string]>([
    ['a manifest of another digest', tampered, byDigest, 'expected bytes of sha256:'],
    ['a blob of another digest', tampered, blob, 'expected bytes of sha256:'],
    [
      'a header of another digest',
      status(200, { 'docker-content-digest': sha256('x') }, '{}'),
      byTag,
      'the Docker-Content-Digest',
    ],
    [
      'a header that is no digest',
      status(200, { 'docker-content-digest': 'x' }, '{}'),
      byTag,
      'the Docker-Content-Digest',
    ],
    [
      'a header by a weaker digest',
      status(200, { 'docker-content-digest': `md5:${'0'.repeat(32)}` }, '{}'),
      byTag,
      'the Docker-Content-Digest',
    ],
    [
      'a body that is cut off without a length',
      (_request, response) => {
        response.writeHead(200, { connection: 'close' });
        response.write(BYTES.subarray(0, 5));
        response.end();
      },
      byDigest,
      'expected bytes of sha256:',
    ],
  ])('is evidence: %s', async (_title, answer, ask, message) => {
    const refused = await refusal(answer, ask);
    expect(refused.code).toBe('registry-corrupt');
    expect(refused.message).toContain(message);
    expect(refused.requests).toHaveLength(1);
  });

  it('is evidence: a blob of another size', async () => {
    const ofOtherSize: Ask = (registry, app, signal) =>
      registry.blob(app, { digest: DIGEST, size: BYTES.length + 1 }, signal);
    const answer: Answerer = (_request, response) => {
      send(response, 200, BYTES);
    };
    expect(await refusal(answer, ofOtherSize)).toMatchObject({
      code: 'registry-corrupt',
      message: expect.stringContaining('expected 20 bytes for GET /v2/team/app/blobs/'),
    });
  });
});

describe('an answer that does not come', () => {
  it.each<[string, Answerer, Ask, string]>([
    ['no word at all', () => undefined, byTag, 'got none before the deadline (nothing so far)'],
    [
      'headers, and then nothing',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.flushHeaders();
      },
      byTag,
      'got none before the deadline (0 bytes so far)',
    ],
    [
      'a byte now and then',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '1000000' });
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => {
          clearInterval(timer);
        });
      },
      byTag,
      'bytes so far)',
    ],
    [
      'headers now and then',
      (request) => {
        const timer = setInterval(() => request.socket.write('X: y\r\n'), 20);
        request.socket.write('HTTP/1.1 200 OK\r\n');
        request.socket.on('close', () => {
          clearInterval(timer);
        });
        request.socket.on('error', () => undefined);
      },
      byTag,
      'got none before the deadline (nothing so far)',
    ],
    [
      'a token service that hangs',
      (request, response) => {
        if (request.url?.startsWith('/token') === true) return;
        const realm = `https://${request.headers.host ?? ''}/token`;
        send(response, 401, '', { 'www-authenticate': `Bearer realm="${realm}"` });
      },
      byTag,
      'expected an answer to GET /token, got none before the deadline',
    ],
  ])('ends with the deadline: %s', async (_title, answer, ask, message) => {
    const refused = await refusal(answer, ask, DEADLINE);
    expect(refused.code).toBe('registry-unavailable');
    expect(refused.message).toContain(message);
  });

  it.each<[string, Answerer, string]>([
    [
      'a connection that breaks',
      (request) => {
        request.socket.destroy();
      },
      'got a broken connection',
    ],
    [
      'a connection that is reset',
      (_request, _response, reset) => {
        reset();
      },
      'got a broken connection',
    ],
    [
      'a body that is cut off',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('x', () => response.destroy());
      },
      'got a part of it, then a broken connection',
    ],
    [
      'chunks that are cut off',
      (_request, response) => {
        response.writeHead(200);
        response.write('x', () => response.destroy());
      },
      'got a part of it, then a broken connection',
    ],
    ['500', status(500), 'got 500, it has a fault'],
    ['502', status(502), 'got 502'],
    ['503', status(503), 'got 503, it is not available'],
    ['504', status(504), 'got 504'],
    ['429', status(429), 'got 429, it has had too many requests'],
  ])('is asked for three times in all: %s', async (_title, answer, message) => {
    const refused = await refusal(answer, byTag);
    expect(refused).toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringContaining(message),
    });
    expect(refused.message).toContain('(attempt 3)');
    expect(refused.requests).toHaveLength(3);
  });

  it('is waited for as long as the registry asks, and no longer than a review can', async () => {
    expect((await refusal(status(429, { 'retry-after': '60' }), byTag)).requests).toHaveLength(1);
    // Three seconds are within what is waited, and more than the deadline leaves.
    const refused = await refusal(status(503, { 'retry-after': '3' }), byTag, 3000);
    expect(refused.requests).toHaveLength(1);
    expect(refused.message).toContain('got 503');
  });

  it('is taken when it comes at last', async () => {
    let count = 0;
    const server = await world.serve((_request, response) => {
      if (++count < 3) send(response, 503);
      else send(response, 200, BYTES);
    });
    const registry = world.client({ hosts: world.trust(server) });
    const app = { registry: server.host, repository: 'team/app' };
    expect((await registry.manifest(app, 'v1', AbortSignal.timeout(10_000)))?.digest).toBe(DIGEST);
  });
});

describe('an answer that is none', () => {
  const switchTo =
    (headers: string): Answerer =>
    (request) => {
      request.socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`);
    };
  it.each<[string, Answerer, string]>([
    ['400', status(400), 'got 400'],
    [
      '403',
      status(403, {}, '{"errors":[{"code":"DENIED","message":"<script>"}]}'),
      'got 403, whoever the credentials are of may not read it, DENIED',
    ],
    ['410', status(410), 'got 410'],
    ['418', status(418, {}, '{"errors":[{"code":"X".repeat(1000)}]}'), 'got 418'],
    ['204', status(204), 'got 204'],
    ['206', status(206, {}, 'x'), 'got 206'],
    [
      'no HTTP',
      (request) => {
        request.socket.end('SSH-2.0-x\r\n');
      },
      'got something that is no HTTP',
    ],
    [
      '101, to another protocol',
      switchTo('Upgrade: websocket\r\nConnection: Upgrade\r\n'),
      'got 101, it switched protocols',
    ],
    ['101, to none', switchTo(''), 'got 101'],
    [
      'headers without end',
      (request) => {
        request.socket.end(`HTTP/1.1 200 OK\r\n${'X: yyyyyyyyyyyy\r\n'.repeat(10_000)}`);
      },
      'got headers that are too large',
    ],
    [
      'something packed',
      (_request, response) => {
        send(response, 200, gzipSync('{}'), { 'content-encoding': 'gzip' });
      },
      'expected an answer to GET /v2/team/app/manifests/v1 that is not packed',
    ],
    [
      'a bomb',
      (_request, response) => {
        send(response, 200, BOMB, { 'content-encoding': 'gzip' });
      },
      'that is not packed',
    ],
  ])('is not asked for again: %s', async (_title, answer, message) => {
    const refused = await refusal(answer, byTag);
    expect(refused).toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringContaining(message),
    });
    expect(refused.requests).toHaveLength(1);
    expect(refused.message).not.toContain('script');
    expect(refused.message.length).toBeLessThan(300);
  });

  it('keeps no place, however often it is 101', async () => {
    const server = await world.serve(switchTo('Upgrade: x\r\nConnection: Upgrade\r\n'));
    const registry = world.client({ hosts: world.trust(server) });
    const app = { registry: server.host, repository: 'team/app' };
    const signal = AbortSignal.timeout(PLENTY);
    const tags = Array.from({ length: 40 }, (_each, index) => `v${index}`);
    const asked = tags.map((tag) => registry.manifest(app, tag, signal));
    const outcomes = (await Promise.allSettled(asked)).map(({ status: outcome }) => outcome);
    expect(outcomes).toEqual(tags.map(() => 'rejected'));
    expect(server.requests).toHaveLength(tags.length);
  });

  it('is a 401 again and again', async () => {
    const refused = await refusal(status(401, { 'www-authenticate': 'Basic realm="x"' }), byTag);
    expect(refused.message).toContain('got 401, it does not take the credentials');
    expect(refused.requests).toHaveLength(2);
  });

  it('is a 401 whose realm is the registry itself', async () => {
    const answer: Answerer = (request, response) => {
      const realm = `https://${request.headers.host ?? ''}/token`;
      send(response, 401, '', { 'www-authenticate': `Bearer realm="${realm}"` });
    };
    const refused = await refusal(answer, byTag);
    expect(refused.message).toContain('expected 200 for GET /token, got 401');
    expect(refused.requests).toHaveLength(2);
  });
});

describe('a body without end', () => {
  it.each<[string, Ask, number]>([
    ['of a manifest', byTag, 4],
    ['of a blob', blob, 8],
    ['of referrers', referrers, 4],
  ])('is cut off at the limit %s', async (_title, ask, limit) => {
    let written = (): number => 0;
    const answer: Answerer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.index.v1+json' });
      written = endless(response, Buffer.alloc(64 * 1024)).bytes;
    };
    const refused = await refusal(answer, ask);
    expect(refused.code).toBe('registry-limited');
    expect(refused.message).toContain(`expected at most ${limit * MIB} bytes for`);
    // What the system holds in between is some megabytes.
    expect(written()).toBeLessThan((limit + 16) * MIB);
  });

  it('is cut off where it says why something is refused', async () => {
    let written = (): number => 0;
    const refused = await refusal((_request, response) => {
      response.writeHead(403);
      written = endless(response, Buffer.alloc(64 * 1024)).bytes;
    }, byTag);
    expect(refused.message).toContain('got 403');
    expect(written()).toBeLessThan(16 * MIB);
  });

  it('in chunks of one byte is given up', async () => {
    const refused = await refusal((_request, response) => {
      response.writeHead(200);
      response.flushHeaders();
      const { socket } = response;
      const many = Buffer.from('1\r\nx\r\n'.repeat(10_000));
      const write = (): void => {
        while (socket?.destroyed === false && socket.write(many));
      };
      socket?.on('drain', write).on('error', () => undefined);
      write();
    }, byTag);
    expect(refused.message).toContain('got them with too much around them');
    expect(refused.requests).toHaveLength(1);
  });
});

describe('many bodies at a time', () => {
  const answer: Answerer = (_request, response) => {
    response.writeHead(200, { 'content-length': String(MIB) });
    response.write(Buffer.alloc(MIB / 2));
  };

  it('hold no more than the budget together', async () => {
    const server = await world.serve(answer);
    const hosts = world.trust(server);
    const deps = { now: Date.now, random: () => 0, env: {} };
    const budget = new ByteBudget(3 * MIB);
    const pool = new HostPool(deps);
    const courier = new Courier(pool, hosts, budget);
    const endpoint = endpointOf({ registry: server.host, repository: 'team/app' }, hosts);
    const parcel = { method: 'GET', headers: {}, maxBytes: MIB } as const;
    const signal = AbortSignal.timeout(DEADLINE);
    const all = Array.from({ length: 8 }, (_each, index) =>
      courier.send(
        endpoint,
        { ...parcel, url: new URL(`https://${server.host}/${index}`) },
        signal,
      ),
    );
    const failed = (await Promise.all(all)).map((each) => ('failed' in each ? each.failed : ''));
    expect(
      failed.filter((each) => each.includes('too much from elsewhere')).length,
    ).toBeGreaterThan(0);
    expect(failed.filter((each) => each.includes('before the deadline')).length).toBeGreaterThan(1);
    // All of it was given back.
    expect([budget.take(3 * MIB), budget.take(1)]).toEqual([true, false]);
    pool.close();
  });
});

describe('a redirect', () => {
  const to = (location: string, code = 307): Answerer => status(code, { location });

  it('is followed to another host, which is not told who asks', async () => {
    const storage = await world.serve((_request, response) => {
      send(response, 200, BYTES);
    });
    const basic = `Basic ${Buffer.from('puller:hunter2').toString('base64')}`;
    const server = await world.serve((request, response) => {
      const isKnown = request.headers.authorization === basic;
      if (isKnown)
        send(response, 307, '', { location: `https://${storage.host}/x?signature=hunter2` });
      else send(response, 401, '', { 'www-authenticate': 'Basic realm="x"' });
    });
    const file = await world.file('redirect.json', dockerConfig(server.host, 'puller', 'hunter2'));
    const registry = world.client({ hosts: world.trust(server, storage), credentials: [file] });
    const app = { registry: server.host, repository: 'team/app' };
    const found = await registry.blob(
      app,
      { digest: DIGEST, size: BYTES.length },
      AbortSignal.timeout(5000),
    );
    expect(found).toEqual(BYTES);
    expect(storage.requests).toEqual(['GET /x?signature=hunter2']);
  });

  it('within the host keeps its credentials', async () => {
    const basic = `Basic ${Buffer.from('puller:hunter2').toString('base64')}`;
    const server = await world.serve((request, response) => {
      if (request.headers.authorization !== basic)
        send(response, 401, '', { 'www-authenticate': 'Basic' });
      else if (request.url === '/there') send(response, 200, BYTES);
      else send(response, 302, '', { location: '/there' });
    });
    const file = await world.file('within.json', dockerConfig(server.host, 'puller', 'hunter2'));
    const registry = world.client({ hosts: world.trust(server), credentials: [file] });
    const app = { registry: server.host, repository: 'team/app' };
    expect((await registry.manifest(app, 'v1', AbortSignal.timeout(5000)))?.digest).toBe(DIGEST);
  });

  it.each<[string, Answerer, Ask, string]>([
    ['refused', status(403), byTag, 'expected 200 for GET /v2/team/app/manifests/v1, got 403'],
    ['broken', status(200), byDigest, `for GET /v2/team/app/manifests/${DIGEST}, got`],
    [
      'astray',
      status(302),
      blob,
      `expected of GET /v2/team/app/blobs/${DIGEST} a redirect to somewhere`,
    ],
  ])('is not repeated where what lies there is %s', async (_title, answer, ask, message) => {
    const storage = await world.serve(answer);
    const refused = await refusal(to(`https://${storage.host}/hunter2?x=hunter2`), ask);
    expect(refused.message).toContain(message);
    expect(refused.message).toContain(`${storage.host}: expected`);
  });

  it('to a host whose 401 asks for credentials gives it none', async () => {
    const thief = await world.serve(status(401, { 'www-authenticate': 'Basic realm="give"' }));
    const refused = await refusal(to(`https://${thief.host}/`), byTag);
    expect(refused).toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringContaining('got 401'),
    });
    expect(thief.requests).toEqual(['GET /']);
  });

  it.each<[string, Answerer, string, number]>([
    [
      'in a circle',
      (request, response) => {
        send(response, 302, '', { location: request.url ?? '' });
      },
      'at most 5 redirects',
      6,
    ],
    [
      'to http',
      (request, response) => {
        send(response, 302, '', { location: `http://${request.headers.host ?? ''}/` });
      },
      'a redirect to https, got one to http',
      1,
    ],
    ['to a file', to('file:///etc/passwd'), 'a redirect to https, got one to file', 1],
    ['with credentials', to('https://a:b@localhost/'), 'a redirect without credentials', 1],
    ['to nowhere', to(''), 'a redirect to somewhere', 1],
    ['to no address', to('https://['), 'a redirect to somewhere', 1],
    [
      'to a metadata service',
      to('https://169.254.169.254/latest/meta-data'),
      'a link-local address, which is not asked',
      1,
    ],
    [
      'to a metadata service in decimal',
      to('https://2852039166/'),
      'a link-local address, which is not asked',
      1,
    ],
    ['without a location', status(302), 'a redirect to somewhere', 1],
    ['that is not one', status(304), 'got 304', 1],
  ])('is not followed %s', async (_title, answer, message, requests) => {
    const refused = await refusal(answer, byTag);
    expect(refused).toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringContaining(message),
    });
    expect(refused.requests).toHaveLength(requests);
  });
});
