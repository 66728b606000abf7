import { isTag } from '../parse/reference-grammar.ts';
import type { Client } from './client.ts';
import type { RegistryDeps } from './deps.ts';
import { algorithmOf, digestOf, isDigest } from './digest.ts';
import { endpointOf } from './endpoint.ts';
import { corrupt, limited, unavailable } from './failure.ts';
import { openParts } from './parts.ts';
import type { RegistrySettings } from './parts.ts';
import { Referrers } from './referrers.ts';
import type { Manifest, Registry, Repository } from './registry.ts';
import { SingleFlight } from './single-flight.ts';
import { mediaTypeOf } from './wire.ts';
import type { Answer } from './wire.ts';

export interface ClosableRegistry extends Registry {
  /** Ends idle connections; what is under way breaks off. */
  close(): void;
}

/** Bytes; registries take no larger ones. */
const MAX_MANIFEST = 4 * 1024 * 1024;
/** Bytes: an SBOM is the largest thing that is asked for. */
const MAX_BLOB = 8 * 1024 * 1024;

const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** A client of registries by the settings in the config. Its files are read when they are needed. */
export function createRegistry(settings: RegistrySettings, deps: RegistryDeps): ClosableRegistry {
  const { client, pool } = openParts(settings, deps);
  const late = (key: string) =>
    unavailable(`${key}: expected an answer, got none before the deadline`);
  const manifests = new SingleFlight<Manifest | undefined>(late);
  const blobs = new SingleFlight<Uint8Array | undefined>(late);

  const manifest: Registry['manifest'] = (repository, reference, signal) => {
    const key = `${nameOf(repository)}/manifests/${reference}`;
    return manifests.run(key, signal, (shared) =>
      fetchManifest(client, settings, { repository, reference }, shared),
    );
  };
  const referrers = new Referrers(client, settings.hosts, manifest, deps.now);
  return {
    manifest,
    blob(repository, { digest, size }, signal) {
      const key = `${nameOf(repository)}/blobs/${digest} of ${size} bytes`;
      return blobs.run(key, signal, (shared) =>
        fetchBlob(client, settings, { repository, digest, size }, shared),
      );
    },
    referrers: (repository, digest, signal) => referrers.of(repository, digest, signal),
    close() {
      pool.close();
    },
  };
}

function nameOf({ registry, repository }: Repository): string {
  return `${registry}/${repository}`;
}

interface ManifestName {
  readonly repository: Repository;
  readonly reference: string;
}

async function fetchManifest(
  client: Client,
  { hosts }: RegistrySettings,
  { repository, reference }: ManifestName,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  const endpoint = endpointOf(repository, hosts);
  if (!isTag(reference) && !isDigest(reference)) {
    throw limited(`${endpoint.host}: expected a tag or a digest, got ${JSON.stringify(reference)}`);
  }
  const question = {
    path: `manifests/${reference}`,
    accept: MANIFEST_TYPES,
    maxBytes: MAX_MANIFEST,
    answers: [404],
  };
  const answer = await client.ask(endpoint, question, signal);
  if (answer.status === 404) return undefined;
  const digest = checkedDigest(answer, isDigest(reference) ? reference : undefined);
  return { digest, mediaType: mediaTypeOf(answer), bytes: answer.body };
}

/** The digest of what was answered, which has to be the one asked for and the one that the header names. */
function checkedDigest(answer: Answer, asked: string | undefined): string {
  const digest = digestOf(answer.body, asked === undefined ? 'sha256' : algorithmOf(asked));
  if (asked !== undefined && digest !== asked) throw otherBytes(answer, asked, digest);
  const named = answer.headers['docker-content-digest'];
  if (typeof named !== 'string') return digest;
  const actual = isDigest(named) ? digestOf(answer.body, algorithmOf(named)) : digest;
  if (actual !== named) {
    throw corrupt(
      `${answer.host}: expected for ${answer.request} the Docker-Content-Digest ${actual}, got another one`,
    );
  }
  return digest;
}

interface BlobName {
  readonly repository: Repository;
  readonly digest: string;
  readonly size: number;
}

async function fetchBlob(
  client: Client,
  { hosts }: RegistrySettings,
  { repository, digest, size }: BlobName,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const endpoint = endpointOf(repository, hosts);
  if (!isDigest(digest))
    throw limited(`${endpoint.host}: expected the digest of a blob, got ${JSON.stringify(digest)}`);
  if (size > MAX_BLOB) {
    throw limited(
      `${endpoint.host}: expected a blob of at most ${MAX_BLOB} bytes, got ${digest} of ${size}`,
    );
  }
  const question = {
    path: `blobs/${digest}`,
    accept: '*/*',
    maxBytes: MAX_BLOB,
    answers: [404],
  };
  const answer = await client.ask(endpoint, question, signal);
  if (answer.status === 404) return undefined;
  const actual = digestOf(answer.body, algorithmOf(digest));
  if (actual !== digest) throw otherBytes(answer, digest, actual);
  if (answer.body.length !== size) {
    throw corrupt(
      `${answer.host}: expected ${size} bytes for ${answer.request}, got ${answer.body.length}`,
    );
  }
  return answer.body;
}

function otherBytes({ host, request }: Answer, expected: string, actual: string): Error {
  return corrupt(`${host}: expected bytes of ${expected} for ${request}, got some of ${actual}`);
}
