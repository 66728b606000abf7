import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ImageCheckerError } from '../../src/errors.ts';
import type { Client } from '../../src/registry/client.ts';
import { Referrers } from '../../src/registry/referrers.ts';
import type { Registry, Repository } from '../../src/registry/registry.ts';
import {
  newRegistryWorld,
  OCI_INDEX,
  OCI_MANIFEST,
  send,
  sha256,
} from '../support/registry-server.ts';
import type { Answerer, RegistryWorld, TestServer } from '../support/registry-server.ts';

const MANIFEST = '{"schemaVersion":2}';
const DIGEST = sha256(MANIFEST);
const BLOB = 'some bytes';
const soon = (): AbortSignal => AbortSignal.timeout(10_000);

let world: RegistryWorld;
beforeAll(async () => {
  world = await newRegistryWorld();
});
afterAll(() => world.close());

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return {
    promise,
    resolve: () => {
      resolve();
    },
  };
}

/** A registry with one manifest and one blob, and whatever else a test answers. */
function answering(more: Readonly<Record<string, Answerer>> = {}): Answerer {
  return (request, response, reset) => {
    const path = (request.url ?? '').replace('/v2/team/app/', '');
    const special = more[path];
    if (special !== undefined) special(request, response, reset);
    else if (path === 'manifests/v1' || path === `manifests/${DIGEST}`) {
      send(response, 200, MANIFEST, { 'content-type': `${OCI_MANIFEST}; charset=utf-8` });
    } else if (path === `blobs/${sha256(BLOB)}`) send(response, 200, BLOB);
    else send(response, 404, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
  };
}

async function open(
  answer: Answerer,
): Promise<{ server: TestServer; registry: Registry; app: Repository }> {
  const server = await world.serve(answer);
  const registry = world.client({ hosts: world.trust(server) });
  return { server, registry, app: { registry: server.host, repository: 'team/app' } };
}

describe('a registry', () => {
  it('gives the manifest of a tag, and its digest by its bytes', async () => {
    const { registry, app } = await open(answering());
    expect(await registry.manifest(app, 'v1', soon())).toEqual({
      digest: DIGEST,
      mediaType: OCI_MANIFEST,
      bytes: Buffer.from(MANIFEST),
    });
  });

  it('gives the manifest of a digest', async () => {
    const { registry, app } = await open(answering());
    expect((await registry.manifest(app, DIGEST, soon()))?.digest).toBe(DIGEST);
  });

  it('gives the bytes of a blob', async () => {
    const { registry, app } = await open(answering());
    const bytes = await registry.blob(app, { digest: sha256(BLOB), size: 10 }, soon());
    expect(Buffer.from(bytes ?? []).toString()).toBe(BLOB);
  });

  it('has nothing where it answers 404', async () => {
    const { registry, app } = await open(answering());
    expect(await registry.manifest(app, 'absent', soon())).toBeUndefined();
    expect(await registry.blob(app, { digest: DIGEST, size: 19 }, soon())).toBeUndefined();
    expect(await registry.referrers(app, DIGEST, soon())).toEqual([]);
  });

  it('is asked once for what is asked for again meanwhile', async () => {
    const { server, registry, app } = await open(answering());
    const all = Array.from({ length: 50 }, () => registry.manifest(app, 'v1', soon()));
    expect(new Set((await Promise.all(all)).map((each) => each?.digest))).toEqual(
      new Set([DIGEST]),
    );
    expect(server.requests).toHaveLength(1);
    await registry.manifest(app, 'v1', soon());
    expect(server.requests).toHaveLength(2);
  });

  it('leaves nothing behind at a signal that many things were asked by', async () => {
    const { registry, app } = await open(answering());
    const signal = soon();
    await Promise.all(['a', 'b'].map((tag) => registry.manifest(app, tag, signal)));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('goes on with an answer as long as somebody waits for it', async () => {
    const released = deferred();
    const slow: Answerer = (_request, response) =>
      void released.promise.then(() => {
        send(response, 200, MANIFEST);
      });
    const { server, registry, app } = await open(answering({ 'manifests/slow': slow }));
    const impatient = registry.manifest(app, 'slow', AbortSignal.timeout(50));
    const patient = registry.manifest(app, 'slow', soon());
    await expect(impatient).rejects.toMatchObject({ code: 'registry-unavailable' });
    released.resolve();
    expect((await patient)?.digest).toBe(DIGEST);
    expect(server.requests).toHaveLength(1);
  });

  it('is asked over eight connections at most, the others wait', async () => {
    const { server, registry, app } = await open((_request, response) => {
      setTimeout(() => {
        send(response, 404);
      }, 5);
    });
    const tags = Array.from({ length: 40 }, (_each, index) => `v${index}`);
    await Promise.all(tags.map((tag) => registry.manifest(app, tag, soon())));
    expect(server.requests).toHaveLength(40);
    expect(server.connections()).toBeLessThanOrEqual(8);
  });

  it.each([
    ['a repository that climbs', '../../etc', 'v1'],
    ['a repository with a query', 'team/app?x', 'v1'],
    ['an empty repository', '', 'v1'],
    ['a reference that is neither tag nor digest', 'team/app', 'v1/../x'],
    ['a digest that nobody can check', 'team/app', `md5:${'0'.repeat(32)}`],
    ['a digest that is too short', 'team/app', 'sha256:00'],
  ])('is not asked for %s', async (_title, repository, reference) => {
    const { server, registry } = await open(answering());
    const asked = registry.manifest({ registry: server.host, repository }, reference, soon());
    await expect(asked).rejects.toMatchObject({ code: 'registry-limited' });
    expect(server.requests).toEqual([]);
  });

  it('is not asked for a blob that is too large', async () => {
    const { server, registry, app } = await open(answering());
    const asked = registry.blob(app, { digest: DIGEST, size: 8 * 1024 * 1024 + 1 }, soon());
    await expect(asked).rejects.toMatchObject({ code: 'registry-limited' });
    expect(server.requests).toEqual([]);
  });

  it('says by its code what was never sent, as eight before it took all the time', async () => {
    const { server, registry, app } = await open(() => undefined);
    const time = AbortSignal.timeout(2000);
    const tags = Array.from({ length: 9 }, (_each, index) => `v${index}`);
    const asked = tags.map((tag) => registry.manifest(app, tag, time));
    const settled = await Promise.allSettled(asked);
    const codes = settled.map((each) =>
      each.status === 'rejected' ? (each.reason as ImageCheckerError).code : '',
    );
    expect(codes).toEqual([...Array<string>(8).fill('registry-unavailable'), 'registry-limited']);
    expect(server.requests.length).toBeLessThanOrEqual(8);
  });
});

describe('the referrers of a manifest', () => {
  const descriptor = {
    mediaType: OCI_MANIFEST,
    digest: sha256('signature'),
    size: 9,
    artifactType: 'application/vnd.example',
    annotations: { a: 'b' },
    platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
  };
  const index = (...manifests: readonly unknown[]): string =>
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  const tag = DIGEST.replace(':', '-');
  /** As it is told from what the API lists. */
  const listed = { ...descriptor, fallbackTag: tag };
  const page =
    (text: string, headers: Readonly<Record<string, string>> = {}): Answerer =>
    (_request, response) => {
      send(response, 200, text, { 'content-type': OCI_INDEX, ...headers });
    };

  it('come from the API', async () => {
    const { server, registry, app } = await open(
      answering({ [`referrers/${DIGEST}`]: page(index(descriptor)) }),
    );
    expect(await registry.referrers(app, DIGEST, soon())).toEqual([descriptor]);
    expect(server.requests).toHaveLength(1);
  });

  it('come from all pages', async () => {
    const next = `/v2/team/app/referrers/${DIGEST}?next=2`;
    const { registry, app } = await open(
      answering({
        [`referrers/${DIGEST}`]: page(index(descriptor), { link: `<${next}>; rel="next"` }),
        [`referrers/${DIGEST}?next=2`]: page(index({ ...descriptor, digest: DIGEST, size: 10 })),
      }),
    );
    const found = await registry.referrers(app, DIGEST, soon());
    expect(found.map(({ size }) => size)).toEqual([9, 10]);
  });

  it('come from all pages of a registry that is named with its usual port', async () => {
    const asked: string[] = [];
    const ask: Client['ask'] = async (_endpoint, { path }) => {
      asked.push(path);
      const link = `</v2/team/app/referrers/${DIGEST}?next=2>; rel="next"`;
      return Promise.resolve({
        ...{ host: 'a.test', origin: 'https://a.test', request: `GET ${path}`, status: 200 },
        headers: { 'content-type': OCI_INDEX, ...(asked.length === 1 && { link }) },
        body: Buffer.from(index(descriptor)),
      });
    };
    const none = (): Promise<undefined> => Promise.resolve(undefined);
    const referrers = new Referrers({ ask } as unknown as Client, {}, none, () => 0);
    const app = { registry: 'a.test:443', repository: 'team/app' };
    expect(await referrers.of(app, DIGEST, soon())).toEqual([descriptor]);
    expect(asked).toEqual([`referrers/${DIGEST}`, `referrers/${DIGEST}?next=2`]);
  });

  it('are those of the same digest on each page, whatever the registry calls the next one', async () => {
    const link = `</v2/team/app/referrers/${sha256('other')}?next=2>; rel="next"`;
    const { server, registry, app } = await open(
      answering({
        [`referrers/${DIGEST}`]: page(index(), { link }),
        [`referrers/${DIGEST}?next=2`]: page(index(descriptor)),
      }),
    );
    expect(await registry.referrers(app, DIGEST, soon())).toEqual([descriptor]);
    expect(server.requests.at(-1)).toBe(`GET /v2/team/app/referrers/${DIGEST}?next=2`);
  });

  it.each([404, 405, 501])('come from the fallback tag behind a %i', async (status) => {
    const { server, registry, app } = await open(
      answering({
        [`referrers/${DIGEST}`]: (_request, response) => {
          send(response, status);
        },
        [`manifests/${tag}`]: page(index(descriptor)),
      }),
    );
    expect(await registry.referrers(app, DIGEST, soon())).toEqual([listed]);
    expect(await registry.referrers(app, DIGEST, soon())).toEqual([listed]);
    expect(server.requests).toEqual([
      `GET /v2/team/app/referrers/${DIGEST}`,
      `GET /v2/team/app/manifests/${tag}`,
      `GET /v2/team/app/manifests/${tag}`,
    ]);
  });

  it('are looked for by the API again after a while', async () => {
    let now = 0;
    const server = await world.serve(answering());
    const registry = world.client({ hosts: world.trust(server) }, { now: () => now });
    const app = { registry: server.host, repository: 'team/app' };
    for (now of [0, 600_000 - 1, 600_000]) await registry.referrers(app, DIGEST, soon());
    expect(server.requests.filter((each) => each.includes('/referrers/'))).toHaveLength(2);
  });

  it('come from the API of a repository, whatever others of its host answer', async () => {
    const { server, registry, app } = await open(
      answering({ [`referrers/${DIGEST}`]: page(index(descriptor)) }),
    );
    const others = ['team/other', 'proxied/app'].map((repository) => ({ ...app, repository }));
    for (const each of [...others, app, ...others, app]) {
      const found = await registry.referrers(each, DIGEST, soon());
      expect(found).toEqual(each === app ? [descriptor] : []);
    }
    expect(server.requests.filter((each) => each.includes('/referrers/'))).toEqual(
      ['team/other', 'proxied/app', 'team/app', 'team/app'].map(
        (path) => `GET /v2/${path}/referrers/${DIGEST}`,
      ),
    );
  });

  it('come from the fallback tag where a web site answers everything', async () => {
    const { registry, app } = await open(
      answering({
        [`referrers/${DIGEST}`]: (_request, response) => {
          send(response, 200, '<html>', { 'content-type': 'text/html' });
        },
        [`manifests/${tag}`]: page(index(descriptor)),
      }),
    );
    expect(await registry.referrers(app, DIGEST, soon())).toEqual([listed]);
  });

  it.each([
    ['the API', `referrers/${DIGEST}`],
    ['the fallback tag', `manifests/${tag}`],
  ])('are a thousand different ones at most, by %s', async (_title, path) => {
    const many = Array.from({ length: 2001 }, (_each, at) => ({
      ...descriptor,
      digest: sha256(`${at >> 1}`),
    }));
    const { registry, app } = await open(answering({ [path]: page(index(...many)) }));
    const found = await registry.referrers(app, DIGEST, soon());
    expect(found).toHaveLength(1000);
    expect(new Set(found.map(({ digest }) => digest)).size).toBe(1000);
  });

  it('are those of ten pages at most', async () => {
    const link = `</v2/team/app/referrers/${DIGEST}>; rel=next`;
    const { server, registry, app } = await open(
      answering({ [`referrers/${DIGEST}`]: page(index(descriptor), { link }) }),
    );
    expect(await registry.referrers(app, DIGEST, soon())).toEqual([descriptor]);
    expect(server.requests).toHaveLength(10);
  });

  it('leave out what is no descriptor', async () => {
    const odd = [
      null,
      'x',
      {},
      { ...descriptor, digest: 'sha256:00' },
      { ...descriptor, digest: `md5:${'0'.repeat(32)}` },
      { ...descriptor, digest: `../${descriptor.digest}` },
      { ...descriptor, size: -1 },
      { ...descriptor, size: '9' },
      { ...descriptor, mediaType: 1 },
    ];
    const plain = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 1 };
    const bent = { ...plain, artifactType: 1, annotations: { a: 1 }, platform: { os: 1 } };
    const { registry, app } = await open(
      answering({ [`referrers/${DIGEST}`]: page(index(...odd, bent)) }),
    );
    expect(await registry.referrers(app, DIGEST, soon())).toEqual([{ ...plain, annotations: {} }]);
  });

  it.each([
    ['no JSON', page('nonsense'), 'registry-corrupt'],
    ['no index', page('{}'), 'registry-corrupt'],
    ['a list that is none', page('{"manifests":{}}'), 'registry-corrupt'],
    ['depth alone', page('['.repeat(4_000_000)), 'registry-corrupt'],
    ['parts alone', page(`{"manifests":[${'{},'.repeat(400_000)}{}]}`), 'registry-corrupt'],
    ['no UTF-8', page(Buffer.from([0xff]).toString('latin1')), 'registry-corrupt'],
    [
      'a next page of another repository',
      page(index(), { link: '</v2/other/referrers/x>; rel=next' }),
      'registry-unavailable',
    ],
    [
      'a next page of another host',
      page(index(), { link: '<https://evil.test/v2/team/app/referrers/x>; rel=next' }),
      'registry-unavailable',
    ],
  ])('cannot be %s', async (_title, answer, code) => {
    const { registry, app } = await open(answering({ [`referrers/${DIGEST}`]: answer }));
    await expect(registry.referrers(app, DIGEST, soon())).rejects.toMatchObject({ code });
  });

  it('cannot be a fallback tag that holds something else', async () => {
    const { registry, app } = await open(answering({ [`manifests/${tag}`]: page('{}') }));
    await expect(registry.referrers(app, DIGEST, soon())).rejects.toMatchObject({
      code: 'registry-corrupt',
    });
  });
});
