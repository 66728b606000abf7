// The pushing half of the OCI distribution protocol, for what the lab puts into its registries.
import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';

/** @param state the folder of up.sh @param user pusher, or puller to be refused */
export function openRegistry(state, user = 'pusher') {
  const read = (name) => readFileSync(join(state, name), 'utf8').trim();
  const host = read('host');
  const agent = new Agent({ ca: read('ca.pem') });
  const basic = `Basic ${Buffer.from(`${user}:${read(`${user}.password`)}`).toString('base64')}`;

  /** One exchange, without any retry. */
  const exchange = (url, { method = 'GET', headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const sent = httpsRequest(url, { method, headers, agent }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode: status, headers: received } = response;
          resolve({ status, headers: received, body: Buffer.concat(chunks) });
        });
      });
      sent.on('error', reject).end(body);
    });

  async function tokenOf(challenge, repository) {
    const [, realm] = /realm="([^"]*)"/.exec(challenge);
    const [, service] = /service="([^"]*)"/.exec(challenge);
    const query = new URLSearchParams({
      service,
      scope: `repository:${repository}:pull,push,delete`,
    });
    const { body } = await exchange(`${realm}?${query}`, { headers: { authorization: basic } });
    return JSON.parse(body.toString()).token;
  }

  /** Any request of this repository, logged in; answers `{ status, headers, body }`. */
  async function call(repository, path, options = {}) {
    const url = new URL(path, `https://${host}/v2/${repository}/`);
    const first = await exchange(url, options);
    if (first.status !== 401) return first;
    const challenge = first.headers['www-authenticate'];
    const authorization = challenge.startsWith('Bearer')
      ? `Bearer ${await tokenOf(challenge, repository)}`
      : basic;
    return exchange(url, { ...options, headers: { ...options.headers, authorization } });
  }

  async function put(repository, path, options) {
    const answer = await call(repository, path, options);
    if (answer.status >= 300) {
      throw new Error(`${options.method} ${path}: ${answer.status} ${answer.body.toString()}`);
    }
    return answer;
  }

  return {
    host,
    repository: (repository) => ({
      call: (path, options) => call(repository, path, options),
      async putBlob(bytes, digest) {
        const { headers } = await put(repository, 'blobs/uploads/', { method: 'POST' });
        const place = new URL(headers.location);
        place.searchParams.set('digest', digest);
        const type = { 'content-type': 'application/octet-stream' };
        await put(repository, place, { method: 'PUT', headers: type, body: bytes });
      },
      async putManifest(bytes, mediaType, reference) {
        const headers = { 'content-type': mediaType };
        await put(repository, `manifests/${reference}`, { method: 'PUT', headers, body: bytes });
      },
    }),
  };
}
