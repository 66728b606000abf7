import { dockerConfig, send, sha256 } from '../support/registry-server.ts';
import type { Answerer, RegistryWorld, TestServer } from '../support/registry-server.ts';

export const PASSWORD = 'hunter2';
const BASIC = `Basic ${Buffer.from(`puller:${PASSWORD}`).toString('base64')}`;

/** The digest that `team/app:TAG` has at the registry of these tests. */
export function digestOf(tag: string): string {
  return sha256(`manifest of ${tag}`);
}

/** A registry with a password, that has every tag of `team/app` but `absent`. */
export const registryAnswer: Answerer = (request, response) => {
  if (request.headers.authorization !== BASIC) {
    send(response, 401, '', { 'www-authenticate': 'Basic realm="x"' });
    return;
  }
  const [, tag = ''] = /^\/v2\/team\/app\/manifests\/(.+)$/.exec(request.url ?? '') ?? [];
  if (tag !== '' && tag !== 'absent') send(response, 200, `manifest of ${tag}`);
  else if (request.url === '/v2/' || request.url === '/v2/team/app/tags/list?n=1') {
    send(response, 200, '{}');
  } else send(response, 404);
};

let count = 0;

/** A config of the service that knows the registry, and writes these credentials into it. */
export async function serviceConfig(
  world: RegistryWorld,
  server: TestServer,
  password = PASSWORD,
): Promise<string> {
  count++;
  const text = dockerConfig(server.host, 'puller', password);
  const credentials = await world.file(`docker-${count}.json`, text);
  const config = {
    apiVersion: 'image-checker/v1',
    kind: 'ServiceConfig',
    tls: { certificate: 'c', key: 'k', clientCA: 'a' },
    rules: 'r',
    registries: { credentials: [credentials], hosts: { [server.host]: { ca: world.ca } } },
  };
  return world.file(`config-${count}.yaml`, JSON.stringify(config));
}
