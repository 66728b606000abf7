import type { MemoryRegistry } from './memory-registry.ts';
import type { Answerer } from './registry-server.ts';
import { send } from './registry-server.ts';

const { signal } = new AbortController();

/** Serves what is in a registry in memory, as a registry without the referrers API. */
export function servedBy(registry: MemoryRegistry, host: () => string): Answerer {
  return (request, response) => {
    const path = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '');
    if (path === null) {
      send(response, 404);
      return;
    }
    const [, repository = '', kind = '', reference = ''] = path;
    const place = { registry: host(), repository };
    const answer = (bytes: Uint8Array | undefined, type = 'application/octet-stream'): void => {
      if (bytes === undefined) send(response, 404);
      else send(response, 200, bytes, { 'content-type': type });
    };
    if (kind === 'manifests') {
      void registry.manifest(place, reference, signal).then((manifest) => {
        answer(manifest?.bytes, manifest?.mediaType);
      });
    } else {
      answer(registry.blobOf(`${place.registry}/${repository}`, reference));
    }
  };
}
