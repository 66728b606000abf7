import { createHash } from 'node:crypto';
import { openRegistry } from '../../scripts/lab/registry/push.js';
import type { PushRegistry, PushRepository } from '../../scripts/lab/registry/push.js';

/*
 * What somebody can do who may push and cannot sign: put the signatures of one image beside
 * another, or elsewhere, as they are or changed.
 */

/** Where an image lies. */
export interface Place {
  readonly repository: string;
  readonly digest: string;
}

export interface Copy {
  readonly from: Place;
  readonly to: Place;
  /** What is put in place of a blob that is signed; absent: as it is. */
  readonly change?: (blob: Buffer) => Buffer;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Manifest {
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

/** Copies all signatures of an image. @param state the folder of the registry */
export async function copySignatures(state: string, copy: Copy): Promise<void> {
  const registry = openRegistry(state);
  const [from, to] = [copy.from, copy.to].map(({ repository }) => registry.repository(repository));
  if (from === undefined || to === undefined) throw new Error('no repositories');
  const tag = copy.from.digest.replace(':', '-');
  const tagged = await read(from, `${tag}.sig`);
  if (tagged !== undefined) {
    const bytes = await copyManifest(tagged, copy, { from, to });
    await to.putManifest(bytes, MANIFEST, `${copy.to.digest.replace(':', '-')}.sig`);
  }
  const descriptors: object[] = [];
  for (const referrer of await referrersOf(from, copy.from.digest)) {
    const manifest = await read(from, referrer.digest);
    if (manifest === undefined) throw new Error(`no ${referrer.digest}`);
    const bytes = await copyManifest(manifest, copy, { from, to });
    await to.putManifest(bytes, MANIFEST, digestOf(bytes));
    descriptors.push({ ...referrer, digest: digestOf(bytes), size: bytes.length });
  }
  if (descriptors.length > 0) await putFallback(to, copy.to.digest, descriptors);
}

/** Copies an image without its signatures. */
export async function copyImage(state: string, from: Place, repository: string): Promise<Place> {
  const registry: PushRegistry = openRegistry(state);
  const [source, target] = [registry.repository(from.repository), registry.repository(repository)];
  const { body } = await source.call(`manifests/${from.digest}`, { headers: { accept: MANIFEST } });
  const manifest = JSON.parse(body.toString()) as Manifest;
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    await target.putBlob(await blobOf(source, digest), digest);
  }
  await target.putManifest(body, MANIFEST, from.digest);
  return { repository, digest: from.digest };
}

async function copyManifest(
  manifest: Manifest,
  { to: { digest }, change = (blob) => blob }: Copy,
  { from, to }: { readonly from: PushRepository; readonly to: PushRepository },
): Promise<Buffer> {
  await to.putBlob(await blobOf(from, manifest.config.digest), manifest.config.digest);
  const layers = await Promise.all(
    manifest.layers.map(async (layer) => {
      const blob = change(await blobOf(from, layer.digest));
      await to.putBlob(blob, digestOf(blob));
      return { ...layer, digest: digestOf(blob), size: blob.length };
    }),
  );
  const subject = manifest.subject && { ...manifest.subject, digest };
  return Buffer.from(JSON.stringify({ ...manifest, layers, ...(subject && { subject }) }));
}

async function referrersOf(from: PushRepository, digest: string): Promise<readonly Descriptor[]> {
  const listed = await from.call(`referrers/${digest}`);
  const byTag = listed.status === 200 ? listed : await getIndex(from, digest);
  if (byTag.status !== 200) return [];
  return (JSON.parse(byTag.body.toString()) as { manifests: Descriptor[] }).manifests;
}

function getIndex(from: PushRepository, digest: string): ReturnType<PushRepository['call']> {
  return from.call(`manifests/${digest.replace(':', '-')}`, { headers: { accept: INDEX } });
}

async function putFallback(to: PushRepository, digest: string, manifests: object[]): Promise<void> {
  const index = { schemaVersion: 2, mediaType: INDEX, manifests };
  await to.putManifest(Buffer.from(JSON.stringify(index)), INDEX, digest.replace(':', '-'));
}

async function read(from: PushRepository, reference: string): Promise<Manifest | undefined> {
  const answer = await from.call(`manifests/${reference}`, { headers: { accept: MANIFEST } });
  if (answer.status === 404) return undefined;
  return JSON.parse(answer.body.toString()) as Manifest;
}

async function blobOf(from: PushRepository, digest: string): Promise<Buffer> {
  const { status, body } = await from.call(`blobs/${digest}`);
  if (status !== 200) throw new Error(`${digest}: ${status}`);
  return body;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
