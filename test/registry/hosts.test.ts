import { chmod, readFile } from 'node:fs/promises';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { issueLeaf, makeAuthority } from '../../src/setup/pki.ts';
import { endpointOf } from '../../src/registry/endpoint.ts';
import type { Repository } from '../../src/registry/registry.ts';
import { ports } from '../support/certificates.ts';
import { newRegistryWorld, send, sha256 } from '../support/registry-server.ts';
import type { RegistryWorld } from '../support/registry-server.ts';

const soon = (): AbortSignal => AbortSignal.timeout(10_000);

let world: RegistryWorld;
beforeAll(async () => {
  world = await newRegistryWorld();
});
afterAll(() => world.close());

describe('the host that is asked', () => {
  it.each([
    ['docker.io', 'library/nginx', {}, 'https://registry-1.docker.io', 'library/nginx'],
    ['a.test', 'x', {}, 'https://a.test', 'x'],
    ['a.test:5000', 'x', {}, 'https://a.test:5000', 'x'],
    ['a.test:443', 'x', {}, 'https://a.test:443', 'x'],
    ['[::1]:5000', 'x', {}, 'https://[::1]:5000', 'x'],
    ['10.0.0.1', 'x', {}, 'https://10.0.0.1', 'x'],
    ['a.test', 'x', { 'a.test': { plainHttp: true } }, 'http://a.test', 'x'],
    ['a.test', 'x', { 'b.test': { plainHttp: true } }, 'https://a.test', 'x'],
    [
      'docker.io',
      'library/x',
      { 'docker.io': { plainHttp: false, mirror: 'm.test' } },
      'https://m.test',
      'library/x',
    ],
    [
      'docker.io',
      'library/x',
      { 'docker.io': { plainHttp: false, mirror: 'm.test:1/hub/a' } },
      'https://m.test:1',
      'hub/a/library/x',
    ],
  ])('of %s/%s with %j is %s', (registry, repository, hosts, ...[origin, path]) => {
    expect(endpointOf({ registry, repository }, hosts)).toMatchObject({ origin, path });
  });

  it.each([
    '0x7f.1',
    '2130706433',
    '127.1',
    'a..test',
    'a.test:99999',
    'a.test/x',
    'u@a.test',
    '[::1',
    '',
    'constructor.',
    'A.test',
  ])('is none for the registry "%s"', (registry) => {
    const refused = refusalOf({ registry, repository: 'x' });
    expect(refused).toMatchObject({ code: 'registry-limited' });
    expect(refused).toMatchObject({
      message: expect.stringMatching(/^expected a registry that can be asked/),
    });
  });

  it.each(['', 'A', 'a//b', '..'])('is none for the repository "%s"', (repository) => {
    expect(refusalOf({ registry: 'a.test', repository })).toMatchObject({
      code: 'registry-limited',
    });
  });
});

function refusalOf(repository: Repository): unknown {
  try {
    return endpointOf(repository, {});
  } catch (thrown) {
    return thrown;
  }
}

describe('a host', () => {
  const app = { repository: 'team/app' };

  it('with a mirror is not asked itself', async () => {
    const mirror = await world.serve((_request, response) => {
      send(response, 200, '{}');
    });
    const registry = world.client({
      hosts: { 'a.test': { ca: world.ca, plainHttp: false, mirror: `${mirror.host}/hub` } },
    });
    const found = await registry.manifest({ ...app, registry: 'a.test' }, 'v1', soon());
    expect(found?.digest).toBe(sha256('{}'));
    expect(mirror.requests).toEqual(['GET /v2/hub/team/app/manifests/v1']);
  });

  it('is spoken to without TLS where that is written for it', async () => {
    const server = await world.serve(
      (_request, response) => {
        send(response, 200, '{}');
      },
      { plain: true },
    );
    const named = { ...app, registry: server.host };
    const registry = world.client({ hosts: { [server.host]: { plainHttp: true } } });
    expect((await registry.manifest(named, 'v1', soon()))?.digest).toBe(sha256('{}'));
    const other = world.client({ hosts: { [server.host]: { plainHttp: false } } });
    await expect(other.manifest(named, 'v1', soon())).rejects.toThrow(
      'got something that is no TLS',
    );
  });

  it('that wants a client certificate is given the one that is named', async () => {
    const server = await world.serve(
      (_request, response) => {
        send(response, 200, '{}');
      },
      { clientCertificate: true },
    );
    const leaf = await issueLeaf(world.authority, { kind: 'client', name: 'x' }, ports);
    const certificate = {
      clientCertificate: await world.file('client.pem', leaf.certificate),
      clientKey: await world.file('client-key.pem', leaf.key),
    };
    const named = { ...app, registry: server.host };
    const plain = { ca: world.ca, plainHttp: false };
    const registry = world.client({ hosts: { [server.host]: { ...plain, ...certificate } } });
    expect((await registry.manifest(named, 'v1', soon()))?.digest).toBe(sha256('{}'));
    const without = world.client({ hosts: { [server.host]: plain } });
    await expect(without.manifest(named, 'v1', soon())).rejects.toMatchObject({
      code: 'registry-unavailable',
    });
  });

  it('is trusted by an authority that is changed while it runs', async () => {
    let now = 0;
    const server = await world.serve((_request, response) => {
      send(response, 200, '{}');
    });
    const ca = await world.file('changing.pem', (await makeAuthority(ports)).certificate);
    const registry = world.client(
      { hosts: { [server.host]: { ca, plainHttp: false } } },
      { now: () => now },
    );
    const named = { ...app, registry: server.host };
    await expect(registry.manifest(named, 'v1', soon())).rejects.toThrow(
      'an authority that is not trusted',
    );
    await world.file('changing.pem', world.authority.certificate);
    now = 2000;
    expect((await registry.manifest(named, 'v1', soon()))?.digest).toBe(sha256('{}'));
  });

  it.each([
    [
      'an authority that is no certificate',
      'nonsense',
      'expected certificates and keys in PEM format',
    ],
    ['an authority that is not there', undefined, 'cannot be read: no such file'],
  ])('is not asked with %s', async (_title, content, message) => {
    const server = await world.serve(() => undefined);
    const ca = content === undefined ? '/absent.pem' : await world.file('broken.pem', content);
    const registry = world.client({ hosts: { [server.host]: { ca, plainHttp: false } } });
    const asked = registry.manifest({ ...app, registry: server.host }, 'v1', soon());
    await expect(asked).rejects.toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringContaining(message),
    });
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['this machine by its name', 'localhost:1', 'an address of this machine'],
    ['this machine by its address', '127.0.0.1:1', 'an address of this machine'],
    ['this machine by another of its addresses', '127.9.9.9', 'an address of this machine'],
    ['this machine by its address of IPv6', '[::1]:1', 'an address of this machine'],
    ['this machine in other clothes', '[::ffff:7f00:1]:1', 'an address of this machine'],
    ['this machine by no address', '0.0.0.0:1', 'an address of this machine'],
    ['a metadata service', '169.254.169.254', 'a link-local address'],
    ['a metadata service behind NAT64', '[64:ff9b::a9fe:a9fe]:1', 'a link-local address'],
    ['another behind NAT64', '[64:ff9b::a83f:8110]:1', 'a link-local address'],
    ['a third behind NAT64', '[64:ff9b::6464:64c8]:1', 'a link-local address'],
    ['a link-local address', '[fe80::1]:1', 'a link-local address'],
  ])('that the config does not name is not %s', async (_title, registry, message) => {
    const asked = world.client({}).manifest({ ...app, registry }, 'v1', soon());
    await expect(asked).rejects.toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [
      'nobody listens there',
      'localhost:1',
      { 'localhost:1': { plainHttp: false } },
      'got a refused connection (attempt 3)',
    ],
    ['it has no address', 'registry.invalid', {}, 'registry.invalid: expected an answer'],
  ])('is not there when %s', async (_title, registry, hosts, message) => {
    const asked = world.client({ hosts }).manifest({ ...app, registry }, 'v1', soon());
    await expect(asked).rejects.toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringContaining(message),
    });
  });
});

describe('a credential helper', () => {
  /** A program of this name, whose PATH is its folder and the system's. */
  async function ask(script: string, now: () => number = Date.now) {
    const file = await world.file('docker-credential-test', `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o700);
    const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
    const server = await world.serve((request, response) => {
      if (request.headers.authorization === basic) send(response, 200, '{}');
      else send(response, 401, '', { 'www-authenticate': 'Basic realm="x"' });
    });
    const config = await world.file(
      'helped.json',
      JSON.stringify({ credHelpers: { [server.host]: 'test' } }),
    );
    const env = { ...process.env, PATH: `${world.folder}:${process.env['PATH'] ?? ''}` };
    const registry = world.client(
      { hosts: world.trust(server), credentials: [config] },
      { env, now },
    );
    return {
      server,
      pull: (signal = soon()) => registry.manifest({ ...app, registry: server.host }, 'v1', signal),
    };
  }
  const app = { repository: 'team/app' };

  it('is asked for the host, and not again for a while', async () => {
    let now = 0;
    const log = await world.file('calls', '');
    const script = `printf '%s ' "$1" >>${log}; cat >>${log}; echo '{"Username":"u","Secret":"p"}'`;
    const { server, pull } = await ask(script, () => now);
    for (now of [0, 59_000]) expect((await pull())?.digest).toBe(sha256('{}'));
    expect(await readFile(log, 'utf8')).toBe(`get ${server.host}`);
    now = 61_000;
    await pull();
    expect(await readFile(log, 'utf8')).toBe(`get ${server.host}get ${server.host}`);
  });

  it.each([
    ['knows none', 'echo credentials not found in native keychain; exit 1', 'it wants credentials'],
    ['fails', 'echo hunter2; echo hunter2 >&2; exit 3', 'got a failure (3)'],
    ['writes nonsense', 'echo hunter2', 'expected an object with Username and Secret'],
    [
      'writes half of it',
      `echo '{"Username":"hunter2"}'`,
      'expected an object with Username and Secret',
    ],
    ['writes without end', 'yes hunter2', 'got a failure'],
    [
      'gives the wrong password',
      `echo '{"Username":"u","Secret":"hunter2"}'`,
      'it does not take the credentials',
    ],
  ])('that %s gives nothing', async (_title, script, message) => {
    const { pull } = await ask(script);
    const thrown: unknown = await pull().catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringContaining(message),
    });
    expect(JSON.stringify(thrown)).not.toContain('hunter2');
  });

  it('that hangs is ended with the deadline', async () => {
    const { pull } = await ask('exec sleep 60');
    await expect(pull(AbortSignal.timeout(300))).rejects.toThrow('before the deadline');
  });

  it('that is not there is named', async () => {
    const config = await world.file('absent-helper.json', '{"credsStore":"absent"}');
    const server = await world.serve((_request, response) => {
      send(response, 401, '', { 'www-authenticate': 'Basic realm="x"' });
    });
    const registry = world.client({ hosts: world.trust(server), credentials: [config] });
    await expect(
      registry.manifest({ ...app, registry: server.host }, 'v1', soon()),
    ).rejects.toThrow('docker-credential-absent, got no such program in PATH');
  });
});
