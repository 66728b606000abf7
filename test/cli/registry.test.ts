import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newRegistryWorld, send } from '../support/registry-server.ts';
import type { RegistryWorld, TestServer } from '../support/registry-server.ts';
import { call } from './call.ts';
import type { Called } from './call.ts';
import { registryAnswer, serviceConfig } from './registries.ts';

let world: RegistryWorld;
let server: TestServer;
let config = '';
beforeAll(async () => {
  world = await newRegistryWorld();
  server = await world.serve(registryAnswer);
  config = await serviceConfig(world, server);
});
afterAll(() => world.close());

function check(place: string, ...args: readonly string[]): Promise<Called> {
  return call(['registry', 'login-check', place, ...args, '--config', config]);
}

describe('registry login-check', () => {
  it('logs in at a host', async () => {
    const { code, stdout, stderr } = await check(server.host);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^registry {5}localhost:\d+\ncredentials {2}\/\S+\.json\nlogin {8}Basic\nresult {7}works\n$/,
    );
  });

  it('reads from a repository', async () => {
    expect((await check(`${server.host}/team/app`)).code).toBe(0);
    expect(server.requests.at(-1)).toContain('GET /v2/team/app/tags/list?n=1 Basic ');
  });

  it('tells what a token is for', async () => {
    const service = await world.serve((request, response) => {
      const asked = new URL(request.url ?? '', 'https://localhost').searchParams.get('scope');
      send(response, 200, JSON.stringify({ token: `for-${asked ?? 'nothing'}` }));
    });
    const realm = `https://${service.host}/token`;
    const bearer = await world.serve((request, response) => {
      const isKnown = request.headers.authorization === 'Bearer for-repository:team/app:pull';
      const isHost = request.headers.authorization === 'Bearer for-nothing';
      if (isKnown || (isHost && request.url === '/v2/')) send(response, 200, '{}');
      else send(response, 401, '', { 'www-authenticate': `Bearer realm="${realm}",service="x"` });
    });
    const file = await serviceConfig(world, bearer);
    const ask = (place: string): Promise<Called> =>
      call(['registry', 'login-check', place, '-o', 'json', '--config', file]);
    const { code, stdout } = await ask(`${bearer.host}/team/app`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      registry: bearer.host,
      login: 'Bearer',
      tokenService: realm,
      scope: 'repository:team/app:pull',
    });
    expect(JSON.parse((await ask(bearer.host)).stdout)).toMatchObject({ scope: null });
    const other = await ask(`${bearer.host}/other`);
    expect(other.code).toBe(1);
    expect(JSON.parse(other.stdout)).toMatchObject({
      scope: 'repository:other:pull',
      problem: { message: expect.stringContaining('got 401') },
    });
  });

  it('finds out about a wrong password, and does not repeat it', async () => {
    const file = await serviceConfig(world, server, 'wrong-one');
    const { code, stdout, stderr } = await call([
      'registry',
      'login-check',
      server.host,
      '--config',
      file,
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain('result       does not work');
    expect(stderr).toContain('got 401, it does not take the credentials');
    expect(stdout + stderr).not.toContain('wrong-one');
  });

  it('finds out about a repository that is not there', async () => {
    const { code, stderr } = await check(`${server.host}/team/other`);
    expect(code).toBe(1);
    expect(stderr).toContain('expected a repository team/other, got 404');
  });

  it('finds out about a host that is not there', async () => {
    const { code, stdout, stderr } = await check('registry.invalid');
    expect(code).toBe(1);
    expect(stdout).toContain('credentials  none');
    expect(stderr).toContain('registry.invalid: expected an answer to GET /v2/');
  });

  it.each(['https://a.test', 'a.test/x:tag', 'a.test/', 'a.test/../x', 'a.test/x@sha256:00', ''])(
    'refuses "%s"',
    async (place) => {
      const { code, stdout, stderr } = await check(place);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('expected HOST or HOST/REPOSITORY');
    },
  );

  it('shows nothing of a realm that would act on a terminal', async () => {
    const evil = await world.serve((_request, response) => {
      send(response, 401, '', { 'www-authenticate': 'Bearer realm="https://x\\\u009b31m/"' });
    });
    const file = await serviceConfig(world, evil);
    const { stdout } = await call(['registry', 'login-check', evil.host, '--config', file]);
    expect(stdout).not.toContain('\u009b');
  });
});
