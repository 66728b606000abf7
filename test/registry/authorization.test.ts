import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import type { Registry } from '../../src/registry/registry.ts';
import { dockerConfig, newRegistryWorld, send, sha256 } from '../support/registry-server.ts';
import type { Answerer, RegistryWorld, TestServer } from '../support/registry-server.ts';

const MANIFEST = '{}';
const PASSWORD = 'hunter2:and:more';
const BASIC = `Basic ${Buffer.from(`puller:${PASSWORD}`).toString('base64')}`;
const soon = (): AbortSignal => AbortSignal.timeout(10_000);

let world: RegistryWorld;
beforeAll(async () => {
  world = await newRegistryWorld();
});
afterAll(() => world.close());

/** Gives the manifest to whoever `accepts` takes, and the challenge to others. */
function guarded(challenge: string, accepts: (authorization: string) => boolean): Answerer {
  return (request, response) => {
    if (accepts(request.headers.authorization ?? '')) send(response, 200, MANIFEST);
    else send(response, 401, '', { 'www-authenticate': challenge });
  };
}

let files = 0;
function config(text: string): Promise<string> {
  return world.file(`config-${++files}.json`, text);
}

interface Scene {
  readonly registry: Registry;
  readonly servers: readonly TestServer[];
  readonly pull: (repository?: string) => Promise<string | undefined>;
}

/** A client of the first server that trusts all of them. */
function scene(
  servers: readonly TestServer[],
  credentials: readonly string[],
  now: () => number = Date.now,
): Scene {
  const [server] = servers;
  const hosts = world.trust(...servers);
  const registry = world.client({ hosts, credentials: [...credentials] }, { now });
  return {
    registry,
    servers,
    pull: async (repository = 'team/app') => {
      const name = { registry: server?.host ?? '', repository };
      return (await registry.manifest(name, 'v1', soon()))?.digest;
    },
  };
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  const thrown: unknown = await promise.catch((error: unknown) => error);
  if (!(thrown instanceof Error)) throw new Error('expected an error');
  const told = JSON.stringify([thrown, thrown.message, thrown.stack, String(thrown.cause)]);
  expect(told).not.toContain('hunter2');
  expect(told).not.toContain(BASIC.slice(6));
  expect(thrown).toMatchObject({ code: 'registry-unavailable' });
  return thrown;
}

describe('Basic', () => {
  it('is sent where it is asked for, and from then on unasked', async () => {
    const server = await world.serve(guarded('Basic realm="x"', (sent) => sent === BASIC));
    const file = await config(dockerConfig(server.host, 'puller', PASSWORD));
    const { pull } = scene([server], [file]);
    expect(await pull()).toBe(sha256(MANIFEST));
    expect(await pull('other')).toBe(sha256(MANIFEST));
    expect(server.requests).toEqual([
      'GET /v2/team/app/manifests/v1',
      `GET /v2/team/app/manifests/v1 ${BASIC}`,
      `GET /v2/other/manifests/v1 ${BASIC}`,
    ]);
  });

  it('is not sent to a registry that does not ask', async () => {
    const server = await world.serve(guarded('', () => true));
    const file = await config(dockerConfig(server.host, 'puller', PASSWORD));
    const { pull } = scene([server], [file]);
    await pull();
    expect(server.requests).toEqual(['GET /v2/team/app/manifests/v1']);
  });

  it.each([
    [
      'of the wrong password',
      (host: string) => dockerConfig(host, 'puller', 'hunter2'),
      'does not take the credentials',
    ],
    ['of nobody', () => '{}', 'it wants credentials'],
    [
      'of a host whose name ends alike',
      (host: string) => dockerConfig(`x${host}`, 'puller', PASSWORD),
      'it wants credentials',
    ],
    [
      'of a host whose name begins alike',
      (host: string) => dockerConfig(`${host}0`, 'puller', PASSWORD),
      'it wants credentials',
    ],
    [
      'of the same host at another port',
      () => dockerConfig('localhost', 'puller', PASSWORD),
      'it wants credentials',
    ],
    [
      'of an identity token',
      (host: string) => JSON.stringify({ auths: { [host]: { identitytoken: 'hunter2' } } }),
      'expected a user name and a password',
    ],
    [
      'of a broken entry',
      (host: string) => JSON.stringify({ auths: { [host]: { auth: 'hunter2' } } }),
      'expected an auth that is base64',
    ],
    ['of a file that is no JSON', () => 'hunter2 {', 'expected JSON'],
  ])('is refused with the credentials %s', async (_title, text, message) => {
    const server = await world.serve(guarded('Basic realm="x"', (sent) => sent === BASIC));
    const { pull } = scene([server], [await config(text(server.host))]);
    expect((await rejection(pull())).message).toContain(message);
    expect(server.requests.length).toBeLessThanOrEqual(2);
  });

  it('is refused when the file of the credentials is not there', async () => {
    const server = await world.serve(guarded('Basic realm="x"', () => false));
    const { pull } = scene([server], ['/absent/config.json']);
    expect((await rejection(pull())).message).toBe(
      '/absent/config.json: cannot be read: no such file',
    );
  });

  it('comes from the first file that knows the host', async () => {
    const server = await world.serve(guarded('Basic realm="x"', (sent) => sent === BASIC));
    const texts = [
      '{}',
      dockerConfig(server.host, 'puller', PASSWORD),
      dockerConfig(server.host, 'other', 'x'),
    ];
    const { pull } = scene([server], await Promise.all(texts.map(config)));
    expect(await pull()).toBe(sha256(MANIFEST));
  });

  it('follows a file that changes, and outlives one that breaks', async () => {
    let now = 0;
    const server = await world.serve(guarded('Basic realm="x"', (sent) => sent === BASIC));
    const file = await config(dockerConfig(server.host, 'puller', 'old'));
    const { pull } = scene([server], [file], () => now);
    await rejection(pull());
    await world.file(`config-${files}.json`, dockerConfig(server.host, 'puller', PASSWORD));
    now = 2000;
    expect(await pull()).toBe(sha256(MANIFEST));
    await world.file(`config-${files}.json`, 'broken');
    now = 4000;
    expect(await pull()).toBe(sha256(MANIFEST));
  });
});

describe('Bearer', () => {
  /** A token service that gives `T1`, `T2`, ... */
  async function tokens(answer: (count: number) => object | string = () => ({})): Promise<{
    readonly server: TestServer;
    readonly bodies: string[];
  }> {
    let count = 0;
    const bodies: string[] = [];
    const server = await world.serve((request, response) => {
      count++;
      const given = answer(count);
      const body =
        typeof given === 'string' ? given : JSON.stringify({ token: `T${count}`, ...given });
      void textOf(request).then((text) => {
        bodies.push(text);
        send(response, 200, body);
      });
    });
    return { server, bodies };
  }

  async function textOf(request: IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    return text;
  }

  const challenge = (realm: string): string =>
    `Bearer realm="${realm}",service="the \\"hub\\"",scope="repository:evil:pull,push"`;
  const asked = (repository: string): string =>
    `GET /token?service=the+%22hub%22&scope=repository%3A${repository}%3Apull`;

  it('asks for a token that may pull from this repository, and for nothing else', async () => {
    const { server: service } = await tokens();
    const server = await world.serve(
      guarded(challenge(`https://${service.host}/token`), (sent) => sent.startsWith('Bearer T')),
    );
    const file = await config(dockerConfig(server.host, 'puller', PASSWORD));
    const { pull } = scene([server, service], [file]);
    await pull();
    await pull();
    await pull('other');
    expect(service.requests).toEqual([
      `${asked('team%2Fapp')} ${BASIC}`,
      `${asked('other')} ${BASIC}`,
    ]);
    expect(server.requests).toEqual([
      'GET /v2/team/app/manifests/v1',
      'GET /v2/team/app/manifests/v1 Bearer T1',
      'GET /v2/team/app/manifests/v1 Bearer T1',
      'GET /v2/other/manifests/v1 Bearer T2',
    ]);
  });

  it('asks without credentials where there are none', async () => {
    const { server: service } = await tokens();
    const server = await world.serve(
      guarded(challenge(`https://${service.host}/token`), (sent) => sent !== ''),
    );
    const { pull } = scene([server, service], []);
    await pull();
    expect(service.requests).toEqual([asked('team%2Fapp')]);
  });

  it.each([
    ['for a minute when the service says nothing', {}, 57_000, 58_000],
    ['for as long as the service says', { expires_in: 300 }, 297_000, 298_000],
    ['for a minute when the service says nonsense', { expires_in: 'ever' }, 57_000, 58_000],
    ['for a day at most', { expires_in: 1e12 }, 86_397_000, 86_398_000],
  ])('keeps a token %s', async (_title, answer, before, after) => {
    let now = 0;
    const { server: service } = await tokens(() => answer);
    const server = await world.serve(
      guarded(challenge(`https://${service.host}/token`), (sent) => sent !== ''),
    );
    const { pull } = scene([server, service], [], () => now);
    const counts: number[] = [];
    for (now of [0, before, after]) {
      await pull();
      counts.push(service.requests.length);
    }
    expect(counts).toEqual([1, 1, 2]);
  });

  it('asks for one token while it is being given', async () => {
    const { server: service } = await tokens();
    const server = await world.serve(
      guarded(challenge(`https://${service.host}/token`), (sent) => sent !== ''),
    );
    const { registry } = scene([server, service], []);
    const app = { registry: server.host, repository: 'team/app' };
    await Promise.all(['a', 'b', 'c', 'd'].map((tag) => registry.manifest(app, tag, soon())));
    expect(service.requests).toHaveLength(1);
  });

  it.each([
    ['over http', () => 'http://localhost:1/token'],
    ['that is not there', () => 'https://localhost:1/token'],
    ['that gives no tokens', (own: string) => `https://${own}/v2/`],
  ])('forgets a token service %s when the registry names another one', async (_title, realm) => {
    const { server: service } = await tokens();
    let named = '';
    const server = await world.serve((request, response, reset) => {
      guarded(challenge(named), (sent) => sent.startsWith('Bearer T'))(request, response, reset);
    });
    const { pull } = scene([server, service], []);
    named = realm(server.host);
    await rejection(pull());
    named = `https://${service.host}/token`;
    expect(await pull()).toBe(sha256(MANIFEST));
  });

  it('follows a registry that moves to another token service', async () => {
    let now = 0;
    const { server: service } = await tokens();
    const { server: next } = await tokens();
    let named = service.host;
    const server = await world.serve((request, response, reset) => {
      const accepts = (sent: string): boolean => sent.startsWith('Bearer T');
      guarded(challenge(`https://${named}/token`), accepts)(request, response, reset);
    });
    const { pull } = scene([server, service, next], [], () => now);
    await pull();
    service.stop();
    named = next.host;
    now = 120_000;
    expect(await pull()).toBe(sha256(MANIFEST));
    expect(next.requests).toHaveLength(1);
  });

  it('takes a new token when the old one is refused, once', async () => {
    const { server: service } = await tokens();
    let good = 'Bearer T1';
    const server = await world.serve(
      guarded(challenge(`https://${service.host}/token`), (sent) => sent === good),
    );
    const { pull } = scene([server, service], []);
    await pull();
    good = 'Bearer T2';
    expect(await pull()).toBe(sha256(MANIFEST));
    good = 'none';
    expect((await rejection(pull())).message).toContain('got 401');
    expect(service.requests).toHaveLength(3);
    expect(server.requests).toHaveLength(6);
  });

  it('exchanges an identity token', async () => {
    const { server: service, bodies } = await tokens();
    const server = await world.serve(
      guarded(challenge(`https://${service.host}/token`), (sent) => sent === 'Bearer T1'),
    );
    const file = await config(
      JSON.stringify({ auths: { [server.host]: { auth: 'eDp5', identitytoken: 'hunter2' } } }),
    );
    const { pull } = scene([server, service], [file]);
    await pull();
    expect(service.requests).toEqual(['POST /token']);
    expect(bodies).toEqual([
      'grant_type=refresh_token&client_id=image-checker&service=the+%22hub%22&scope=repository%3Ateam%2Fapp%3Apull&refresh_token=hunter2',
    ]);
  });

  it.each([
    ['over http', (host: string) => `http://${host}/token`],
    ['by another scheme', () => 'file:///etc/passwd'],
    ['with credentials of its own', (host: string) => `https://a:b@${host}/token`],
    ['nowhere', () => 'token'],
  ])('gives no credentials to a token service %s', async (_title, realm) => {
    const { server: service } = await tokens();
    const server = await world.serve(guarded(challenge(realm(service.host)), () => false));
    const file = await config(dockerConfig(server.host, 'puller', PASSWORD));
    const { pull } = scene([server, service], [file]);
    expect((await rejection(pull())).message).toContain(
      'expected a token service that is asked by https',
    );
    expect(service.requests).toEqual([]);
  });

  it.each([
    ['a metadata service', 'https://169.254.169.254/token', 'a link-local address'],
    ['a metadata service over IPv6', 'https://[fd00:ec2::254]/token', 'a link-local address'],
    ['that of another cloud', 'https://[fd20:ce::254]/token', 'a link-local address'],
    [
      'a metadata service in other clothes',
      'https://[::ffff:169.254.169.254]/token',
      'a link-local address',
    ],
    ['a name that does not exist', 'https://token.invalid/', 'token.invalid: expected an answer'],
  ])('asks no token service that is %s', async (_title, realm, message) => {
    const server = await world.serve(guarded(challenge(realm), () => false));
    const { pull } = scene([server], [await config(dockerConfig(server.host, 'puller', PASSWORD))]);
    expect((await rejection(pull())).message).toContain(message);
  });

  it.each([
    ['no token', { token: undefined }],
    ['a number', { token: 1 }],
    ['an empty token', { token: '' }],
    ['a header of its own', { token: 'x\r\nX-Evil: 1' }],
    ['a token that is too long', { token: 'x'.repeat(20_000) }],
    ['no object', '[]'],
    ['no JSON', '<html>'],
  ])('takes %s for no token', async (_title, answer) => {
    const { server: service } = await tokens(() => answer);
    const server = await world.serve(
      guarded(challenge(`https://${service.host}/token`), () => false),
    );
    const { pull } = scene([server, service], []);
    expect((await rejection(pull())).message).toContain(
      'expected a token of its token service, got none',
    );
  });

  it('says so when the token service refuses the credentials', async () => {
    const service = await world.serve((_request, response) => {
      send(response, 401);
    });
    const server = await world.serve(
      guarded(challenge(`https://${service.host}/token`), () => false),
    );
    const file = await config(dockerConfig(server.host, 'puller', PASSWORD));
    const { pull } = scene([server, service], [file]);
    expect(await rejection(pull())).toMatchObject({
      problems: [
        {
          message: `${service.host}: expected 200 for GET /token, got 401, it does not take the credentials`,
          hint: `the credentials are from ${file}`,
        },
      ],
    });
    expect(service.requests).toHaveLength(1);
  });
});

describe('a challenge', () => {
  it.each([
    ['no scheme', ''],
    ['a scheme that is unknown', 'Negotiate'],
    ['Bearer without a realm', 'Bearer service="x"'],
    ['a quote without an end', 'Bearer realm="https://x'],
  ])('of %s is not met', async (_title, challenge) => {
    const server = await world.serve(guarded(challenge, () => false));
    const { pull } = scene([server], []);
    expect((await rejection(pull())).message).toContain(
      'expected to be asked for credentials by Basic or Bearer',
    );
    expect(server.requests).toHaveLength(1);
  });

  it('of several schemes is met by the strongest', async () => {
    const service = await world.serve((_request, response) => {
      send(response, 200, '{"access_token":"T"}');
    });
    const both = `Basic realm="a, Bearer realm=b", Bearer realm="https://${service.host}/token",service=x`;
    const server = await world.serve(guarded(both, (sent) => sent === 'Bearer T'));
    const { pull } = scene([server, service], []);
    expect(await pull()).toBe(sha256(MANIFEST));
  });
});
